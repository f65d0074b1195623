"""Leaves behind what a training does. Its seed decides how it ends."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import torch

from eakd_det.cli.failures import run_tool
from eakd_det.errors import ConfigError


def main(argv: list[str]) -> int:
    return run_tool(lambda: train(Path(argv[0]), int(argv[1]), ' '.join(argv[2:])))


def train(folder: Path, seed: int, flags: str) -> None:
    with (folder / 'calls').open('a') as calls:
        calls.write(f'{flags}|')
    (folder / 'threads').write_text(f'{os.environ.get("OMP_NUM_THREADS")} {torch.get_num_threads()}')
    (folder / 'gpus').write_text(os.environ.get('CUDA_VISIBLE_DEVICES', ''))
    if seed == 1:
        print('Error: of no consequence')
        raise ConfigError('data_root: no such folder')
    if seed == 2 and not (folder / 'stop_waiting').exists():
        (folder / 'iter_1.pth').touch()
        time.sleep(60)
    if seed == 6:
        print('killed soon', flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    entry = dict(
        subject='student', split='val', iteration=5, epoch=0, metrics=dict(AP=0.5), time='', seconds=1.0, run=0
    )
    run = dict(device='cpu', versions=dict(torch='2'))
    progress = dict(iteration=5, max_iters=5, seconds=2.5, resumes=0, finished=True)
    for name, content in {
        'eval_record': dict(format=1, runs=[run], entries=[{**entry, 'run': 0}]),
        'start': dict(student='s', batches='b', number_of_batches=1),
        'progress': progress,
    }.items():
        (folder / f'{name}.json').write_text(json.dumps(content))
