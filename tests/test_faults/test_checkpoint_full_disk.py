"""A disk that is full when a checkpoint is written."""

from __future__ import annotations

import os
import re
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mmengine.hooks import Hook
from mmengine.runner import Runner

from eakd_det.checkpoint import load_checkpoint_file
from tests import tiny_data
from tests.test_cli.conftest import Workspace, one_error
from tests.test_faults import killing

Seen = Callable[[object], None]
FREE = 64 * 2**10


class FillsTheDisk(Hook):
    """Fill the disk of a folder almost completely from an iteration on."""

    priority = 'HIGHEST'

    def __init__(self, folder: Path, iteration: int) -> None:
        self.folder = folder
        self.iteration = iteration

    def after_train_iter(self, runner: Runner, *_: object, **__: object) -> None:
        if runner.iter + 1 == self.iteration:
            room = os.statvfs(self.folder)
            (self.folder / 'other').write_bytes(bytes(room.f_bavail * room.f_frsize - FREE))


class LimitsFiles(Hook):
    """Limit files to 64 KiB from an iteration on, as a quota would."""

    priority = 'HIGHEST'

    def __init__(self, iteration: int) -> None:
        self.iteration = iteration

    def after_train_iter(self, runner: Runner, *_: object, **__: object) -> None:
        if runner.iter + 1 == self.iteration:
            resource.setrlimit(resource.RLIMIT_FSIZE, (FREE, FREE))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MiB."""
    folder = tmp_path / 'disk'
    folder.mkdir()
    command = ['mount', '-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip('only root may mount a file system here')
    yield folder
    subprocess.run(['umount', '--lazy', str(folder)], check=True)


def config(workspace: Workspace) -> str:
    cfg = tiny_data.student_config(workspace.data, iters=4)
    cfg.default_hooks.checkpoint.update(interval=2, max_keep_ckpts=1, save_best=None)
    cfg.train_cfg.val_interval = 1000
    return workspace.write(cfg)


def require_the_last_good_one(work_dir: Path, error: str) -> None:
    assert re.search(r'default_hooks.checkpoint: expected to write \S*iter_4.pth, but got ', error), error
    assert f'the last good checkpoint, {work_dir / "iter_2.pth"}, is kept' in error
    assert load_checkpoint_file(work_dir / 'iter_2.pth')['meta']['iter'] == 2
    assert (work_dir / 'last_checkpoint').read_text() == str(work_dir / 'iter_2.pth')
    assert not list(work_dir.glob('.*'))
    assert not (work_dir / 'iter_4.pth').exists()


@pytest.mark.fault(
    'the disk fills up before a checkpoint (a file system of 16 MiB)',
    expected='one line; the last good checkpoint stays, and the run goes on once there is room',
)
def test_a_full_disk(workspace: Workspace, small_disk: Path, capfd: pytest.CaptureFixture, seen: Seen) -> None:
    path, work_dir = config(workspace), small_disk / 'work'

    status = killing.train(path, work_dir, sabotage=lambda: killing.with_hook(FillsTheDisk(small_disk, 4)))

    assert status == 1
    error = one_error(capfd.readouterr())
    require_the_last_good_one(work_dir, error)
    (small_disk / 'other').unlink()
    assert killing.train(path, work_dir, '--resume') == 0
    assert load_checkpoint_file(work_dir / 'iter_4.pth')['meta']['iter'] == 4
    seen(error.replace(str(small_disk), '.'))


@pytest.mark.fault('no file may grow beyond 64 KiB', expected='one line, and the last good checkpoint stays')
def test_a_limit_on_files(workspace: Workspace, capfd: pytest.CaptureFixture, seen: Seen) -> None:
    path = config(workspace)

    status = killing.train(path, workspace.work_dir, sabotage=lambda: killing.with_hook(LimitsFiles(4)))

    assert status == 1
    error = one_error(capfd.readouterr())
    require_the_last_good_one(workspace.work_dir, error)
    seen(error.replace(str(workspace.root), '.'))


@pytest.mark.fault(
    'the disk is full before anything is logged', expected='one line that says so, whichever file it hits first'
)
def test_no_room_at_all(workspace: Workspace, small_disk: Path, capfd: pytest.CaptureFixture, seen: Seen) -> None:
    class FillsCompletely(FillsTheDisk):
        def after_train_iter(self, runner: Runner, *_: object, **__: object) -> None:
            if runner.iter + 1 == self.iteration:
                with (self.folder / 'other').open('wb') as file:
                    try:
                        while True:
                            file.write(bytes(4096))
                            file.flush()
                    except OSError:
                        pass

    path, work_dir = config(workspace), small_disk / 'work'

    status = killing.train(path, work_dir, sabotage=lambda: killing.with_hook(FillsCompletely(small_disk, 3)))

    printed = capfd.readouterr()
    assert status == 1
    assert load_checkpoint_file(work_dir / 'iter_2.pth')['meta']['iter'] == 2
    error = [line for line in printed.err.splitlines() if line.startswith('Error: ')]
    assert len(error) == 1, printed.err[-2000:]
    assert 'No space left on device' in error[0]
    seen(error[0].replace(str(small_disk), '.'))
