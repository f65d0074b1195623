"""Resuming with different loops, orders of the data and seeds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from mmengine.config import Config

from tests import tiny_data
from tests.test_faults import killing
from tests.test_faults.killing import KILLED

Seen = Callable[[object], None]
IMAGES, BATCH = 5, 2
PER_EPOCH = 3
ITERS = 6


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_data.make_coco(tmp_path_factory.mktemp('data') / 'data', train=IMAGES)


def by_epoch(data: Path, workers: int = 0, save_by_epoch: bool = True) -> Config:
    """Two epochs of three iterations each."""
    cfg = tiny_data.student_config(data, iters=ITERS)
    cfg.train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=ITERS // PER_EPOCH, val_interval=1)
    cfg.train_dataloader.sampler = dict(type='DefaultSampler', shuffle=True)
    cfg.train_dataloader.update(num_workers=workers, persistent_workers=workers > 0)
    cfg.train_dataloader.dataset.pipeline.insert(3, dict(type='RandomFlip', prob=0.5))
    cfg.default_hooks.sampler_seed = dict(type='DistSamplerSeedHook')
    cfg.default_hooks.checkpoint.update(by_epoch=save_by_epoch, interval=1)
    cfg.param_scheduler = [dict(type='MultiStepLR', by_epoch=True, begin=0, end=2, milestones=[1], gamma=0.1)]
    cfg.log_processor.by_epoch = True
    return cfg


def epochs(data: Path) -> Config:
    return by_epoch(data)


def epochs_with_workers(data: Path) -> Config:
    return by_epoch(data, workers=2)


def within_an_epoch(data: Path) -> Config:
    return by_epoch(data, save_by_epoch=False)


def iterations(data: Path) -> Config:
    cfg = tiny_data.student_config(data, iters=ITERS)
    cfg.train_dataloader.dataset.pipeline.insert(3, dict(type='RandomFlip', prob=0.5))
    cfg.default_hooks.checkpoint.update(interval=1, save_best=None)
    cfg.train_cfg.val_interval = 1000
    return cfg


def a_sampler_that_ends(data: Path) -> Config:
    cfg = iterations(data)
    cfg.train_dataloader.sampler = dict(type='DefaultSampler', shuffle=True)
    return cfg


def batches_by_shape(data: Path) -> Config:
    cfg = iterations(data)
    cfg.train_dataloader.batch_sampler = dict(type='AspectRatioBatchSampler')
    cfg.train_dataloader.update(num_workers=2)
    return cfg


RUNS = {
    'epochs': epochs,
    'epochs, 2 workers that persist': epochs_with_workers,
    'a checkpoint within an epoch': within_an_epoch,
    'DefaultSampler in an iteration-based loop': a_sampler_that_ends,
    'AspectRatioBatchSampler, 2 workers': batches_by_shape,
}
QUICK = ('a checkpoint within an epoch',)


def losses(work_dir: Path) -> list[dict[str, float]]:
    found = killing.logged(work_dir)
    assert set(found) == set(range(1, ITERS + 1))
    assert all(values == found[step][0] for step in found for values in found[step])
    return [{name: found[step][0][name] for name in ('loss', 'lr', 'loss_cls')} for step in sorted(found)]


@pytest.mark.fault('killed: {name}', expected='the losses of the uninterrupted run, bit for bit')
@pytest.mark.parametrize('name', [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in RUNS])
def test_loops(name: str, data: Path, tmp_path: Path, seen: Seen) -> None:
    config = tiny_data.dump(RUNS[name](data), tmp_path / 'config.py')
    assert killing.train(config, tmp_path / 'whole') == 0

    assert killing.train(config, tmp_path / 'killed', sabotage=killing.die_after(5)) == KILLED
    assert killing.train(config, tmp_path / 'killed', '--resume') == 0

    assert losses(tmp_path / 'killed') == losses(tmp_path / 'whole')
    at = sorted(killing.logged(tmp_path / 'killed'))
    seen(f'losses of iterations {at[0]} to {at[-1]} equal')


@pytest.mark.fault(
    'resumed without a seed in the config', expected='the seed that was drawn then is used on, order of data included'
)
def test_without_a_seed(data: Path, tmp_path: Path, seen: Seen) -> None:
    cfg = iterations(data)
    cfg.randomness = dict(seed=None)
    config = tiny_data.dump(cfg, tmp_path / 'config.py')
    assert killing.train(config, tmp_path / 'one') == 0
    assert killing.train(config, tmp_path / 'other', '--resume', str(tmp_path / 'one' / 'iter_3.pth')) == 0

    one, other = (killing.logged(tmp_path / name) for name in ('one', 'other'))
    assert set(other) == {4, 5, 6}
    assert all(other[step] == one[step] for step in other)
    seen('iterations 4 to 6 of a second run from iter_3.pth equal the first run')


@pytest.mark.fault('resumed with another number of workers', expected='the same losses')
def test_workers_make_no_difference(data: Path, tmp_path: Path, seen: Seen) -> None:
    config = tiny_data.dump(iterations(data), tmp_path / 'config.py')
    assert killing.train(config, tmp_path / 'one') == 0
    flags = ['--resume', str(tmp_path / 'one' / 'iter_3.pth'), '--cfg-options', 'train_dataloader.num_workers=2']
    assert killing.train(config, tmp_path / 'other', *flags) == 0

    one, other = (killing.logged(tmp_path / name) for name in ('one', 'other'))
    assert all(other[step] == one[step] for step in (4, 5, 6))
    seen('from none to 2 workers: iterations 4 to 6 equal')


@pytest.mark.slow
@pytest.mark.fault('gradients are accumulated, and the checkpoint lies between two steps', expected='a warning')
def test_lost_accumulated_gradients_cause_a_warning(
    data: Path, tmp_path: Path, capfd: pytest.CaptureFixture, seen: Seen
) -> None:
    cfg = iterations(data)
    cfg.optim_wrapper.accumulative_counts = 2
    config = tiny_data.dump(cfg, tmp_path / 'config.py')
    assert killing.train(config, tmp_path / 'one', sabotage=killing.die_after(3)) == KILLED
    capfd.readouterr()
    assert killing.train(config, tmp_path / 'one', '--resume') == 0
    line = next(line for line in capfd.readouterr().out.splitlines() if 'accumulated over 2' in line)
    seen(line.split('WARNING - ')[1])
