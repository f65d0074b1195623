"""``tools/train.py`` run as a script and killed from outside."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from eakd_det.paths import tools_dir
from tests import tiny_data
from tests.test_faults import killing

Seen = Callable[[object], None]
ITERS = 12


def start(config: str, work_dir: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(tools_dir() / 'train.py'), config, '--work-dir', str(work_dir), '--resume']
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'OMP_WAIT_POLICY': 'PASSIVE'}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill_at_some_time_after(process: subprocess.Popen[bytes], work_dir: Path, iteration: int) -> bool:
    """Kill the process up to 0.3 s after it logs an iteration; return whether it was still running."""
    while process.poll() is None and not any(step >= iteration for step in killing.logged(work_dir)):
        time.sleep(0.01)
    time.sleep(random.uniform(0, 0.3))
    is_alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return is_alive


@pytest.mark.slow
@pytest.mark.fault(
    'tools/train.py killed from outside at random times, {workers} workers',
    expected='losses and last checkpoint of the uninterrupted run, bit for bit',
)
@pytest.mark.parametrize('workers', [0, 2])
def test_killed_from_outside(workers: int, teacher_ckpt: str, tmp_path: Path, seen: Seen) -> None:
    data = tiny_data.make_coco(tmp_path / 'data', train=6)
    cfg = killing.stateful_config(data, teacher_ckpt, workers, iters=ITERS)
    config = tiny_data.dump(cfg, tmp_path / 'config.py')
    assert start(config, tmp_path / 'whole').wait() == 0

    kills = 0
    for iteration in (2, 5, 9):
        kills += kill_at_some_time_after(start(config, tmp_path / 'killed'), tmp_path / 'killed', iteration)
    assert start(config, tmp_path / 'killed').wait() == 0

    trained = killing.require_same_losses(tmp_path / 'whole', tmp_path / 'killed')
    compared = killing.require_same_checkpoints(
        *(tmp_path / name / f'iter_{ITERS}.pth' for name in ('whole', 'killed'))
    )
    assert kills >= 2
    seen(f'killed {kills} times; {trained} iterations trained, {compared} numbers of the last checkpoint equal')
