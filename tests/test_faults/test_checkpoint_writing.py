"""Kills while files are written, and the best checkpoint of a resumed run."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from eakd_det.evaluation import EvalRecord
from tests import tiny_data
from tests.test_faults import killing
from tests.test_faults.killing import KILLED

Seen = Callable[[object], None]
ITERS = 6
SCORES = {2: 0.1, 4: 0.5, 6: 0.3}
MOMENTS = ('half written', 'written', 'in its place')


@pytest.fixture(scope='module')
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A checkpoint and a validation every second iteration; the newest and the best checkpoint are kept."""
    root = tmp_path_factory.mktemp('root')
    cfg = tiny_data.student_config(tiny_data.make_coco(root / 'data'), iters=ITERS)
    cfg.train_cfg.val_interval = 2
    cfg.default_hooks.checkpoint.update(interval=2, max_keep_ckpts=1)
    return tiny_data.dump(cfg, root / 'config.py')


def count_files(names: Path) -> Callable[[], None]:
    """Return a function that records the files a process replaces and removes."""

    def sabotage() -> None:
        killing.scores(SCORES)()
        for operation in ('replace', 'remove'):
            _patch(operation, lambda path, operation=operation: names.open('a').write(f'{operation} {path.name}\n'))

    return sabotage


def _patch(operation: str, notice: Callable[[Path], Any]) -> None:
    real = getattr(os, operation)

    def patched(*paths: Any, **options: Any) -> Any:
        if Path(paths[-1]).suffix in ('.pth', '.json', ''):
            notice(Path(paths[-1]))
        return real(*paths, **options)

    setattr(os, operation, patched)


def kill_at(number: int, moment: str) -> Callable[[], None]:
    """Return a function that kills the process at its ``number``-th file operation, counted from 0."""

    def sabotage() -> None:
        killing.scores(SCORES)()
        calls: Iterator[int] = iter(range(10_000))
        for operation in ('replace', 'remove'):
            _kill_in(operation, calls, number, moment)

    return sabotage


def _kill_in(operation: str, calls: Iterator[int], number: int, moment: str) -> None:
    real = getattr(os, operation)

    def patched(*paths: Any, **options: Any) -> Any:
        ours = Path(paths[-1]).suffix in ('.pth', '.json', '') and next(calls) == number
        if ours and moment == 'half written' and operation == 'replace':
            os.truncate(paths[0], os.path.getsize(paths[0]) // 2)
        if ours and moment != 'in its place':
            killing.kill_me()
        result = real(*paths, **options)
        if ours:
            killing.kill_me()
        return result

    setattr(os, operation, patched)


@pytest.fixture(scope='module')
def uninterrupted(config: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The work folder of an uninterrupted run, and its file operations."""
    root = tmp_path_factory.mktemp('uninterrupted')
    assert killing.train(config, root / 'work', sabotage=count_files(root / 'operations')) == 0
    return root / 'work', (root / 'operations').read_text().splitlines()


def require_the_same_end(reference: Path, work_dir: Path) -> None:
    killing.require_same_losses(reference, work_dir)
    killing.require_same_checkpoints(reference / 'iter_6.pth', work_dir / 'iter_6.pth')
    one, other = (
        torch.load(path / 'best_coco_bbox_mAP_iter_4.pth', weights_only=True) for path in (reference, work_dir)
    )
    assert all(torch.equal(tensor, other['state_dict'][name]) for name, tensor in one['state_dict'].items())
    record = EvalRecord.read(work_dir / 'eval_record.json')
    assert [(entry.iteration, entry.metrics['AP']) for entry in record.entries] == list(SCORES.items())
    assert (work_dir / 'last_checkpoint').read_text() == str(work_dir / 'iter_6.pth')
    best = 'best_coco_bbox_mAP_iter_4.pth'
    assert {path.name for path in work_dir.glob('*.pth')} == {'iter_6.pth', best, 'student.pth'}
    student = torch.load(work_dir / 'student.pth', weights_only=True)['state_dict']
    assert all(torch.equal(tensor, student[name]) for name, tensor in one['state_dict'].items())
    assert not list(work_dir.glob('.*'))


def kill_and_resume(config: str, work_dir: Path, number: int, moment: str) -> None:
    assert killing.train(config, work_dir, '--resume', sabotage=kill_at(number, moment)) == KILLED
    assert killing.train(config, work_dir, '--resume', sabotage=killing.scores(SCORES)) == 0


def test_the_file_operations_of_a_run(uninterrupted: tuple[Path, list[str]]) -> None:
    reference, operations = uninterrupted
    require_the_same_end(reference, reference)
    first = ['replace iter_2.pth', 'replace last_checkpoint', 'replace best_coco_bbox_mAP_iter_2.pth']
    again = ['replace iter_2.pth', 'replace last_checkpoint', 'replace eval_record.json']  # now with the score
    second = ['replace iter_4.pth', 'replace last_checkpoint', 'remove iter_2.pth']
    files = [operation for operation in operations if operation != 'replace student.pth']
    assert len(files) < len(operations)
    assert files[:10] == ['replace eval_record.json', *first, *again, *second]


@pytest.mark.fault(
    'killed while {moment}: a random one of the files a run writes or removes',
    expected='the resumed run ends as if nothing had been, best checkpoint and record included',
)
@pytest.mark.parametrize('moment', MOMENTS[:1])  # the others: below
def test_killed_while_writing(
    config: str, uninterrupted: tuple[Path, list[str]], moment: str, tmp_path: Path, seen: Seen
) -> None:
    reference, operations = uninterrupted
    number = random.randrange(len(operations))

    kill_and_resume(config, tmp_path, number, moment)

    require_the_same_end(reference, tmp_path)
    seen(f'killed at operation {number}, {operations[number]}; the same end')


@pytest.mark.slow
@pytest.mark.fault(
    'killed at every operation on a file in turn, {moment}', expected='every resumed run ends as if nothing had been'
)
@pytest.mark.parametrize('moment', MOMENTS)
def test_killed_at_every_operation(
    config: str, uninterrupted: tuple[Path, list[str]], moment: str, tmp_path: Path, seen: Seen
) -> None:
    reference, operations = uninterrupted
    for number in range(len(operations)):
        kill_and_resume(config, tmp_path / str(number), number, moment)
        require_the_same_end(reference, tmp_path / str(number))
    seen(f'{len(operations)} kills, {len(operations)} times the same end')


@pytest.mark.fault(
    'killed after the best validation, and the later ones are worse', expected='the best checkpoint stays the best'
)
def test_a_worse_score_after_a_resume_replaces_nothing(
    config: str, uninterrupted: tuple[Path, list[str]], tmp_path: Path, seen: Seen
) -> None:
    def sabotage() -> None:
        killing.scores(SCORES)()
        killing.die_after(5)()

    assert killing.train(config, tmp_path, sabotage=sabotage) == KILLED
    written = (tmp_path / 'best_coco_bbox_mAP_iter_4.pth').stat().st_mtime_ns
    assert killing.train(config, tmp_path, '--resume', sabotage=killing.scores(SCORES)) == 0

    require_the_same_end(uninterrupted[0], tmp_path)
    assert (tmp_path / 'best_coco_bbox_mAP_iter_4.pth').stat().st_mtime_ns == written
    hub = torch.load(tmp_path / 'iter_6.pth', weights_only=True)['message_hub']['runtime_info']
    assert (hub['best_score'], Path(hub['best_ckpt']).name) == (0.5, 'best_coco_bbox_mAP_iter_4.pth')
    seen('AP 0.3 after the resume left the file of AP 0.5 as it was')
