"""One of two processes fails or hangs: the other must end with a message."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.test_cli.conftest import Workspace
from tests.test_parallel import deterministic
from tests.test_parallel.conftest import processes_of

START = Callable[..., subprocess.Popen[str]]
ITERS = 10**6  # never reached


def run(workspace: Workspace, start: START, kind: str, *flags: str, workers: int = 0) -> subprocess.Popen[str]:
    """Start two processes, of which the second fails in its third iteration."""
    cfg = deterministic.config(workspace.data, str(workspace.root / 'teacher.pth'), 1, ITERS, crash=(kind, 1, 2))
    cfg.train_dataloader.update(num_workers=workers)
    return start(workspace.write(cfg), *flags)


def wait_for(path: Path, process: subprocess.Popen[str], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


def error_output(workspace: Workspace) -> str:
    return (workspace.root / 'stderr').read_text()


@pytest.mark.slow
@pytest.mark.fault(
    'one of two processes is killed (SIGKILL) in training',
    expected='the other ends soon, with a message and status; no worker remains',
)
def test_a_killed_process_ends_the_others(workspace: Workspace, dist_train: START, seen: Callable[[str], None]) -> None:
    process = run(workspace, dist_train, 'mark', workers=1)
    wait_for(workspace.work_dir / 'victim', process)
    os.kill(int((workspace.work_dir / 'victim').read_text()), signal.SIGKILL)

    begin = time.monotonic()
    status = process.wait(timeout=60)
    elapsed = time.monotonic() - begin
    assert status == 1
    message = next(line for line in error_output(workspace).splitlines() if 'Signal 9 (SIGKILL)' in line)
    time.sleep(6)  # loader workers check every five seconds for their parent
    assert processes_of(workspace) == []
    seen(f'status {status} after {elapsed:.0f} s: "{" ".join(message.split())}", nothing left')


@pytest.mark.slow
@pytest.mark.fault('an exception in one of two processes', expected='its message, and the end of the other')
def test_an_exception_in_one_process_ends_the_others(
    workspace: Workspace, dist_train: START, seen: Callable[[str], None]
) -> None:
    process = run(workspace, dist_train, 'raise')
    status = process.wait(timeout=180)
    assert status == 1
    assert 'RuntimeError: the disk is on fire' in error_output(workspace)
    assert processes_of(workspace) == []
    seen(f'status {status}: "RuntimeError: the disk is on fire", nothing left')


@pytest.mark.slow
@pytest.mark.fault(
    'one of two processes hangs, with env_cfg.dist_cfg.timeout=5',
    expected='the other gives up after 5 s, and ends both',
)
def test_a_hanging_process_times_out(workspace: Workspace, dist_train: START, seen: Callable[[str], None]) -> None:
    process = run(workspace, dist_train, 'hang', '--cfg-options', 'env_cfg.dist_cfg.timeout=5')
    status = process.wait(timeout=180)
    assert status == 1
    message = next(line for line in error_output(workspace).splitlines() if 'Timed out waiting 5000ms' in line)
    assert processes_of(workspace) == []
    seen(f'status {status}: "{message[message.index("Timed out") :]}", nothing left')
