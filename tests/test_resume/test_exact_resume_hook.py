from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmcv.transforms import LoadImageFromFile
from mmengine.logging import MMLogger
from mmengine.runner import Runner

from eakd_det.checkpoint import load_checkpoint_file
from eakd_det.distillation.statistics import StepStatistics
from eakd_det.resume import random_numbers
from tests import tiny_data


@pytest.fixture(scope='module')
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_data.make_coco(tmp_path_factory.mktemp('data') / 'data')


@pytest.fixture(autouse=True)
def one_thread() -> None:
    MMLogger._instance_dict.clear()
    torch.set_num_threads(1)


def runner(data: Path, work_dir: Path, hooks: list[Any], iters: int = 2, load_from: Path | None = None) -> Runner:
    cfg = tiny_data.student_config(data, iters=iters)
    for name in ('val_dataloader', 'val_cfg', 'val_evaluator'):
        cfg[name] = None
    cfg.default_hooks.checkpoint = dict(type='CheckpointHook', by_epoch=False, interval=1)
    cfg.custom_hooks = hooks
    cfg.load_from, cfg.resume = (None if load_from is None else str(load_from)), load_from is not None
    cfg.work_dir = str(work_dir)
    return Runner.from_cfg(cfg)


def test_random_draws_of_another_hook_have_no_effect(data: Path, tmp_path: Path) -> None:
    from mmengine.hooks import Hook

    class Draws(Hook):
        def after_train_iter(self, *_: Any, **__: Any) -> None:
            random.random(), np.random.rand(), torch.rand(3)

    weights = []
    for name, others in (('plain', []), ('drawing', [Draws()])):
        running = runner(data, tmp_path / name, [])
        for hook in others:
            running.register_hook(hook)
        running.register_hook(dict(type='eakd_det.ExactResumeHook'))
        running.train()
        weights.append(running.model.state_dict())
    assert all(torch.equal(tensor, weights[1][name]) for name, tensor in weights[0].items())


@pytest.mark.parametrize(('hooks', 'read'), [([dict(type='eakd_det.ExactResumeHook')], 2), ([], 8)])
def test_a_resume_does_not_read_past_images(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hooks: list[Any], read: int
) -> None:
    runner(data, tmp_path, hooks, iters=3).train()
    resumed = runner(data, tmp_path, hooks, iters=4, load_from=tmp_path / 'iter_3.pth')
    seen = []
    load = LoadImageFromFile.transform
    monkeypatch.setattr(LoadImageFromFile, 'transform', lambda self, result: (seen.append(1), load(self, result))[1])
    resumed.train()
    # OneDL's MMEngine skips past images even without the hook.
    assert len(seen) == read or (not hooks and len(seen) == 2)


def test_resuming_from_a_checkpoint_without_the_hook_warns(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    runner(data, tmp_path / 'one', []).train()
    assert 'eakd_det_resume' not in load_checkpoint_file(tmp_path / 'one' / 'iter_1.pth')

    hooks = [dict(type='eakd_det.ExactResumeHook')]
    resumed = runner(data, tmp_path / 'two', hooks, load_from=tmp_path / 'one' / 'iter_1.pth')
    resumed.train()

    assert resumed.iter == 2
    assert 'the checkpoint was written without ExactResumeHook' in capsys.readouterr().out


def test_other_samplers_are_left_to_mmengine_with_a_warning(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    from torch.utils.data import RandomSampler

    running = runner(data, tmp_path, [dict(type='eakd_det.ExactResumeHook')])
    loader = running.build_dataloader(dict(running.cfg.train_dataloader))
    running._train_dataloader = torch.utils.data.DataLoader(
        loader.dataset, batch_size=2, sampler=RandomSampler(loader.dataset), collate_fn=loader.collate_fn
    )
    running.train()
    assert running.iter == 2
    assert 'ExactResumeHook does not support RandomSampler' in capsys.readouterr().out


def test_restored_statistics_continue() -> None:
    def add(statistics: StepStatistics, steps: range) -> list[dict[str, torch.Tensor]]:
        found = []
        for step in steps:
            statistics.add_value('tau', torch.tensor(float(step)))
            found.append(statistics.end_step())
        return found

    whole = StepStatistics(interval=4)
    expected = add(whole, range(8))
    first, second = StepStatistics(interval=4), StepStatistics(interval=4)
    found = add(first, range(3))
    second.load_state_dict(first.state_dict())
    assert [*found, *add(second, range(3, 8))] == expected
    assert expected[3]['tau'] == 1.5


def test_keys_that_differ_in_one_entry_give_independent_numbers() -> None:
    def draw(*key: int) -> tuple[float, ...]:
        random_numbers.seed_random_numbers(*key)
        return random.random(), float(np.random.rand()), torch.rand(()).item()

    keys = [(0, kind, rank, step) for kind in (0, 1) for rank in (0, 1) for step in range(50)]
    numbers = np.array([draw(*key) for key in keys])
    assert len(np.unique(numbers)) == numbers.size
    assert np.abs(np.corrcoef(numbers[:-1].T, numbers[1:].T)[:3, 3:]).max() < 0.3
    assert np.array_equal(numbers[7], draw(*keys[7]))
