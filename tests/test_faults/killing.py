"""Train in a process that may be killed, and compare two runs."""

from __future__ import annotations

import json
import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmdet.visualization import DetLocalVisualizer
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer, MessageHub, MMLogger
from mmengine.runner import Runner

from eakd_det.cli import train as train_tool
from tests import tiny_data

ITERS = 8
KILLED = -signal.SIGKILL


def in_a_fork(job: Callable[[], int]) -> int:
    """Run ``job`` in a fork, which saves the imports; return its status, negative for a signal."""
    pid = os.fork()
    if pid == 0:
        for known in (DetLocalVisualizer, MMLogger, MessageHub):  # left by earlier tests, with their folders
            known._instance_dict.clear()
        try:
            os._exit(job())
        except BaseException:
            traceback.print_exc()
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def kill_me(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Dies(Hook):
    """Kill the process after an iteration."""

    priority = 'VERY_LOW'

    def __init__(self, iteration: int) -> None:
        self.iteration = iteration

    def after_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        if runner.iter + 1 == self.iteration:
            kill_me()


def train(config: str, work_dir: Path, *flags: str, sabotage: Callable[[], object] | None = None) -> int:
    """Run ``tools/train.py`` in a fork after calling ``sabotage`` there; return its status."""

    def job() -> int:
        torch.set_num_threads(1)
        if sabotage is not None:
            sabotage()
        return train_tool.main([config, '--work-dir', str(work_dir), *flags])

    return in_a_fork(job)


def die_after(iteration: int) -> Callable[[], None]:
    """Return a function that makes the next runner of the process die of SIGKILL after ``iteration``."""

    return lambda: with_hook(Dies(iteration))


def stateful_config(data: Path, teacher: str, num_workers: int, iters: int = ITERS) -> Config:
    """Build a distillation in which every part has state: temperature, fusion, curriculum, warm-up, EMA, schedules.

    Augmentations draw from NumPy and Python, the sampling of proposals from torch.
    """
    cfg = tiny_data.distill_config(data, teacher, iters=iters)
    cfg.model.distiller.distill_losses = dict(
        loss_kd=dict(
            type='eakd_det.KDLoss',
            tau=dict(type='eakd_det.LearnedTemperature', ramp_iters=iters),
            weighting=dict(type='eakd_det.CurriculumWeighting', total_iters=iters),
        ),
        loss_review=dict(
            type='eakd_det.ReviewKDLoss', student_channels=16, teacher_channels=16, mid_channels=8, num_levels=3
        ),
        loss_pad=dict(type='eakd_det.PADLoss', student_channels=24, warmup_iters=iters - 2),
    )
    cfg.model.distiller.statistics_interval = 3
    cfg.optim_wrapper = dict(
        type='OptimWrapper', optimizer=dict(type='AdamW', lr=2e-3), clip_grad=dict(max_norm=10.0, norm_type=2)
    )
    cfg.param_scheduler = [
        dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=iters // 2),
        dict(type='MultiStepLR', by_epoch=False, begin=0, end=iters, milestones=[iters - 3], gamma=0.1),
    ]
    augmentation = [
        dict(type='RandomFlip', prob=0.5),
        dict(type='PhotoMetricDistortion'),  # NumPy's random numbers
        dict(type='RandomAffine', max_rotate_degree=5.0, max_translate_ratio=0.05, scaling_ratio_range=(0.9, 1.1)),
    ]
    pipeline = cfg.train_dataloader.dataset.pipeline
    cfg.train_dataloader.dataset.pipeline = [*pipeline[:-1], *augmentation, pipeline[-1]]
    cfg.train_dataloader.update(num_workers=num_workers, persistent_workers=num_workers > 0)
    cfg.custom_hooks = [
        dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=0.1, gamma=4, update_buffers=True),
        *cfg.custom_hooks,
    ]
    cfg.default_hooks.checkpoint.update(interval=2, max_keep_ckpts=2)
    return cfg


def logged(work_dir: Path) -> dict[int, list[dict[str, float]]]:
    """Return the logged values of every iteration, once for each time it was trained."""
    found: dict[int, list[dict[str, float]]] = {}
    for path in sorted(work_dir.glob('*/vis_data/scalars.json')):
        for line in path.read_text().splitlines():
            values = json.loads(line)
            if 'loss' in values:
                found.setdefault(values['step'], []).append(
                    {name: value for name, value in values.items() if name not in ('time', 'data_time', 'memory')}
                )
    return found


def require_same_losses(reference: Path, resumed: Path) -> int:
    """Require that ``resumed`` logged the values of ``reference`` in all iterations; return their number."""
    expected, seen = logged(reference), logged(resumed)
    assert set(seen) == set(expected)
    for step, (values,) in expected.items():
        for other in seen[step]:
            assert other == values, step
    return sum(map(len, seen.values()))


def require_same_checkpoints(reference: Path, resumed: Path) -> int:
    """Require equal checkpoints, bit for bit, except times and folders; return the number of compared values."""
    one, other = (torch.load(path, weights_only=True) for path in (reference, resumed))
    for content in (one, other):
        for name in ('time', 'experiment_name', 'cfg', 'mmengine_version'):
            content['meta'].pop(name)
        info = content['message_hub']['runtime_info']
        # `iter` is set when a run starts, and in its iterations; the version has the hash of the last commit.
        for name in ('cfg', 'experiment_name', 'mmengine_version', 'iter'):
            info.pop(name)
        for name in ('last_ckpt', 'best_ckpt'):
            info[name] = Path(info[name]).name
        for name in [name for name in content['message_hub']['log_scalars'] if 'time' in name]:
            del content['message_hub']['log_scalars'][name]
    one['beside'], other['beside'] = (getattr(content['state_dict'], '_metadata', {}) for content in (one, other))
    return _compare(one, other, 'checkpoint')


def _compare(one: Any, other: Any, name: str) -> int:
    assert type(one) is type(other), (name, one, other)
    if isinstance(one, HistoryBuffer):
        one, other = one.data, other.data
    if isinstance(one, dict):
        assert one.keys() == other.keys(), (name, one.keys() ^ other.keys())
        return sum(_compare(one[key], other[key], f'{name}.{key}') for key in one)
    if isinstance(one, (list, tuple)):
        assert len(one) == len(other), (name, one, other)
        return sum(_compare(*pair, f'{name}.{index}') for index, pair in enumerate(zip(one, other, strict=True)))
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other), name
        return one.numel()
    if isinstance(one, np.ndarray):
        assert np.array_equal(one, other), name
        return one.size
    assert one == other, (name, one, other)
    return 1


def scores(values: dict[int, float]) -> Callable[[], None]:
    """Return a function that makes validations report these APs, by iteration."""

    class Scores(Hook):
        priority = 'HIGHEST'

        def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
            if metrics is not None:
                metrics['coco/bbox_mAP'] = values[runner.iter]

    return lambda: with_hook(Scores())


def with_hook(hook: Hook) -> None:
    """Register ``hook`` with the next runner that trains in this process."""
    run = Runner.train

    def train_with_the_hook(runner: Runner) -> Any:
        runner.register_hook(hook)
        return run(runner)

    Runner.train = train_with_the_hook
