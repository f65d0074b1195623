from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger

from eakd_det.cli import test as test_tool
from eakd_det.cli import train as train_tool
from tests import tiny_data


@pytest.fixture(autouse=True)
def as_if_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tools as a shell starts them: no launcher's variables, one thread (the layers are too thin for more)."""
    for name in ('RANK', 'LOCAL_RANK', 'WORLD_SIZE', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('LOCAL_RANK', '0')
    MMLogger._instance_dict.clear()  # the logger of an earlier test writes to that test's captured stream
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@dataclass
class Workspace:
    """A folder with data, and the tools to work on it."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / 'data'

    @property
    def work_dir(self) -> Path:
        return self.root / 'work'

    def write(self, cfg: Config, name: str = 'config.py') -> str:
        return tiny_data.dump(cfg, self.root / name)

    def train(self, config: str, *flags: str) -> int:
        return train_tool.main([config, '--work-dir', str(self.work_dir), *flags])

    def test(self, config: str, *flags: str) -> int:
        return test_tool.main([config, *flags, '--work-dir', str(self.root / 'tested')])


@pytest.fixture(scope='session')
def shared_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_data.make_coco(tmp_path_factory.mktemp('data') / 'data')


@pytest.fixture
def workspace(tmp_path: Path, shared_data: Path) -> Workspace:
    """An own copy of the data, to be spoilt."""
    shutil.copytree(shared_data, tmp_path / 'data')
    return Workspace(tmp_path)


@pytest.fixture(scope='session')
def trained(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Workspace:
    """A run of four iterations of a plain detector; its files must be left as they are."""
    root = tmp_path_factory.mktemp('trained')
    shutil.copytree(shared_data, root / 'data')
    workspace = Workspace(root)
    environment = copy.copy(dict(os.environ))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    assert workspace.train(workspace.write(tiny_data.student_config(workspace.data))) == 0
    torch.set_num_threads(threads)
    os.environ.clear()
    os.environ.update(environment)
    return workspace


@pytest.fixture(scope='session')
def teacher_ckpt(trained: Workspace) -> str:
    """The checkpoint of the plain detector, to be a teacher."""
    return str(trained.work_dir / 'iter_4.pth')


def one_error(captured: Any) -> str:
    """The one line that a tool wrote to stderr about a user's error."""
    lines = [line for line in captured.err.splitlines() if line.startswith('Error: ')]
    assert len(lines) == 1, captured.err
    assert 'Traceback' not in captured.err
    return lines[0]
