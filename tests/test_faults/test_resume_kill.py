"""A killed and resumed run ends like an uninterrupted one."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from eakd_det.evaluation import EvalRecord
from tests import tiny_data
from tests.test_faults import killing
from tests.test_faults.killing import ITERS, KILLED

Seen = Callable[[object], None]
LAST = f'iter_{ITERS}.pth'


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_data.make_coco(tmp_path_factory.mktemp('data') / 'data', train=6)


@pytest.fixture(scope='module', params=[pytest.param(0, marks=pytest.mark.slow), 2], ids=['main process', '2 workers'])
def uninterrupted(
    request: pytest.FixtureRequest, data: Path, teacher_ckpt: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """A config, and the work folder of an uninterrupted run."""
    root = tmp_path_factory.mktemp('uninterrupted')
    config = tiny_data.dump(killing.stateful_config(data, teacher_ckpt, request.param), root / 'config.py')
    assert killing.train(config, root / 'work') == 0
    return config, root / 'work'


def entries(work_dir: Path) -> list[tuple[int | None, dict[str, float | None]]]:
    return [(entry.iteration, entry.metrics) for entry in EvalRecord.read(work_dir / 'eval_record.json').entries]


@pytest.mark.fault(
    'killed after two random iterations, data read by {uninterrupted} workers',
    expected='losses, checkpoint and record of the uninterrupted run, bit for bit',
)
def test_killed_at_random_iterations(uninterrupted: tuple[str, Path], tmp_path: Path, seen: Seen) -> None:
    config, reference = uninterrupted
    kills = sorted(random.sample(range(1, ITERS), 2))  # different in every run of the tests

    for iteration in kills:
        sabotage = killing.die_after(iteration)
        assert killing.train(config, tmp_path, '--resume', sabotage=sabotage) == KILLED, kills
    assert killing.train(config, tmp_path, '--resume') == 0, kills

    trained = killing.require_same_losses(reference, tmp_path)
    compared = killing.require_same_checkpoints(reference / LAST, tmp_path / LAST)
    assert entries(tmp_path) == entries(reference)
    best = {path.name for path in reference.glob('best_*.pth')}
    assert {path.name for path in tmp_path.glob('best_*.pth')} == best
    seen(f'killed after {kills}: {trained} iterations trained, {compared} numbers of the last checkpoint equal')
