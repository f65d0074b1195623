#!/usr/bin/env bash
# Test on several GPUs, or in several CPU processes on a machine without GPUs:
#   tools/dist_test.sh CONFIG CHECKPOINT GPUS [flags of tools/test.py]
# On several machines, run it on each with NNODES, NODE_RANK, MASTER_ADDR and PORT set.
set -eu

if [ $# -lt 3 ]; then
    sed -n '2,4s/^# //p' "$0" >&2
    exit 2
fi
CONFIG=$1
CHECKPOINT=$2
GPUS=$3
shift 3

exec "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$GPUS" \
    "$(dirname "$0")/test.py" "$CONFIG" "$CHECKPOINT" --launcher pytorch "$@"
