from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest
import torch

from eakd_det.paths import tools_dir
from tests import tiny, tiny_data
from tests.test_cli.conftest import Workspace, as_if_alone
from tests.test_parallel import deterministic

__all__ = ['as_if_alone']  # a fixture of every test here


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with data and a teacher."""
    tiny_data.make_coco(tmp_path / 'data')
    teacher = tiny.build(deterministic.detector(), seed=1)
    teacher.roi_head.bbox_head.fc_cls.weight.data.mul_(100)  # untrained logits hardly differ between proposals
    torch.save(dict(state_dict=teacher.state_dict()), tmp_path / 'teacher.pth')
    return Workspace(tmp_path)


@pytest.fixture
def dist_train(workspace: Workspace) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start ``tools/dist_train.sh``, by default with two processes; kill the remaining ones at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(config: str, *flags: str, processes: int = 2, **variables: str) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if name != 'LOCAL_RANK'}
        environment.update(
            OMP_NUM_THREADS='1',
            OMP_WAIT_POLICY='PASSIVE',
            PYTHON=sys.executable,
            PYTHONPATH=str(Path(__file__).parents[2]),
            PORT=free_port(),
        )
        environment.update(variables)
        script = str(tools_dir() / 'dist_train.sh')
        command = [script, config, str(processes), '--work-dir', str(workspace.work_dir), *flags]
        started.append(
            subprocess.Popen(
                command,
                cwd=workspace.root,
                env=environment,
                stdout=_output(workspace, 'stdout'),
                stderr=_output(workspace, 'stderr'),
                text=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.poll()
    for process_id in processes_of(workspace):
        os.kill(process_id, signal.SIGKILL)


def processes_of(workspace: Workspace) -> list[int]:
    """Return the launcher, processes and loader workers that have the folder of ``workspace`` in their arguments."""
    found = []
    for entry in Path('/proc').iterdir():
        try:
            if entry.name.isdigit() and str(workspace.work_dir) in (entry / 'cmdline').read_text():
                found.append(int(entry.name))
        except OSError:  # ended meanwhile
            continue
    return found


def _output(workspace: Workspace, name: str) -> IO[Any]:
    return (workspace.root / name).open('w')  # an unread pipe would block the run


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return str(probe.getsockname()[1])
