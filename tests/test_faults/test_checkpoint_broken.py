"""``--resume`` with broken checkpoints."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from eakd_det.checkpoint import load_checkpoint_file
from tests.test_cli.conftest import Workspace, one_error

Seen = Callable[[object], None]


@pytest.fixture
def run(trained: Workspace, tmp_path: Path) -> Workspace:
    """A finished run with checkpoints of iterations 2 and 4."""
    shutil.copytree(trained.work_dir, tmp_path / 'work')
    shutil.copytree(trained.data, tmp_path / 'data')
    (tmp_path / 'work' / 'last_checkpoint').write_text(str(tmp_path / 'work' / 'iter_4.pth'))
    shutil.copy(trained.root / 'config.py', tmp_path / 'config.py')
    return Workspace(tmp_path)


def newest(run: Workspace) -> Path:
    return run.work_dir / 'iter_4.pth'


def cut_off(run: Workspace) -> None:
    newest(run).write_bytes(newest(run).read_bytes()[:-1000])


def emptied(run: Workspace) -> None:
    newest(run).write_bytes(b'')


def a_hole_of_zeros(run: Workspace) -> None:
    """Blank out blocks, as after a power failure: the length is right, but blocks were never written."""
    content = bytearray(newest(run).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4096] = bytes(4096)
    newest(run).write_bytes(bytes(content))


def gone(run: Workspace) -> None:
    newest(run).unlink()


SPOILT = {'cut off': cut_off, 'empty': emptied, 'a hole of zeros': a_hole_of_zeros, 'gone': gone}


def resume(run: Workspace) -> int:
    return run.train(str(run.root / 'config.py'), '--resume', '--cfg-options', 'train_cfg.max_iters=4')


@pytest.mark.fault('the newest checkpoint is broken: {spoil}', expected='a warning, and the one before it is used')
@pytest.mark.parametrize('spoil', SPOILT)
def test_a_broken_checkpoint_falls_back_to_the_one_before(
    run: Workspace, spoil: str, capsys: pytest.CaptureFixture, seen: Seen
) -> None:
    SPOILT[spoil](run)

    assert resume(run) == 0

    printed = capsys.readouterr()
    lines = [line for line in (printed.out + printed.err).splitlines() if 'WARNING - --resume: ' in line]
    assert len(lines) == 2
    assert str(newest(run)) in lines[0]
    assert lines[1].endswith(f'--resume: continuing from {run.work_dir / "iter_2.pth"}')
    assert load_checkpoint_file(newest(run))['meta']['iter'] == 4  # written again
    seen(lines[0].split('--resume: ')[1].replace(str(run.work_dir), '.') + '; continued from iter_2.pth')


@pytest.mark.fault('last_checkpoint is {text}', expected='the newest intact checkpoint in the folder is used')
@pytest.mark.parametrize('text', ['gone', 'empty'])
def test_a_lost_pointer(run: Workspace, text: str, capsys: pytest.CaptureFixture, seen: Seen) -> None:
    pointer = run.work_dir / 'last_checkpoint'
    pointer.unlink() if text == 'gone' else pointer.write_text('')

    assert resume(run) == 0

    assert f'--resume: continuing from {newest(run)}' in capsys.readouterr().out
    seen('continued from iter_4.pth')


@pytest.mark.fault('the work folder was moved', expected='the checkpoint is found in its new place')
def test_a_moved_folder(run: Workspace, capsys: pytest.CaptureFixture, seen: Seen) -> None:
    (run.work_dir / 'last_checkpoint').write_text('/no/such/folder/iter_4.pth')
    assert resume(run) == 0
    assert f'--resume: continuing from {newest(run)}' in capsys.readouterr().out
    seen('continued from iter_4.pth')


@pytest.mark.fault('all checkpoints are broken', expected='one line that names each; no training from the start')
def test_no_checkpoint_is_intact(run: Workspace, capsys: pytest.CaptureFixture, seen: Seen) -> None:
    cut_off(run)
    (run.work_dir / 'iter_2.pth').write_bytes(b'')

    assert resume(run) == 1

    error = one_error(capsys.readouterr())
    assert 'iter_4.pth is truncated' in error
    assert 'iter_2.pth is empty' in error
    seen(error.replace(str(run.work_dir), '.'))


@pytest.mark.fault('--resume in a folder without a checkpoint', expected='the training starts, and says so')
def test_nothing_to_resume_from(run: Workspace, capsys: pytest.CaptureFixture, seen: Seen) -> None:
    shutil.rmtree(run.work_dir)
    options = ['--cfg-options', 'train_cfg.max_iters=1', 'val_cfg=None', 'val_dataloader=None', 'val_evaluator=None']

    assert run.train(str(run.root / 'config.py'), '--resume', *options) == 0

    assert f'no checkpoint in {run.work_dir}; training starts from scratch' in capsys.readouterr().out
    seen('trained from iteration 1')


@pytest.mark.fault('a broken checkpoint is named: --resume FILE', expected='one line, and no other is taken')
def test_a_broken_checkpoint_by_name(run: Workspace, capsys: pytest.CaptureFixture, seen: Seen) -> None:
    cut_off(run)
    assert run.train(str(run.root / 'config.py'), '--resume', str(newest(run))) == 1
    error = one_error(capsys.readouterr())
    assert 'iter_4.pth is truncated' in error
    seen(error.replace(str(run.work_dir), '.'))
