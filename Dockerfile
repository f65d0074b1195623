# eakd_det in a container, by the steps of README and docs/install.md.
#
#   docker build -t eakd .                                                   # CPU
#   docker build -t eakd --build-arg BACKEND=cu130 .                         # CUDA 13.0; the host needs its driver alone
#   docker run --rm -v "$PWD/work_dirs:/eakd/work_dirs" eakd make demo
#   docker run --rm --gpus all --shm-size 8g -v "$PWD/data:/eakd/data" eakd \
#       .venv/bin/python tools/train.py configs/pairs/r101-r18_coco.py+ea-kd
#
# NOT BUILT, NOT RUN by the authors: no container runtime and no GPU were at hand. The steps are those that `make setup` was
# tested with on Debian; the image as a whole was not.
ARG BASE=debian:bookworm-slim
FROM ${BASE}

# What docs/install.md needs: Python with venv, make, git, and the libraries that opencv-python loads.
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv make git libgl1 libglib2.0-0 ca-certificates \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /eakd
COPY . .

# The build of torch, by uv's names. Left to itself the set-up takes the CPU build, as no GPU is in sight while an image is
# built. A CUDA build brings CUDA's libraries along.
ARG BACKEND=cpu
RUN UV_TORCH_BACKEND=${BACKEND} make setup

ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
CMD ["make", "help"]
