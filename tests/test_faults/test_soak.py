"""Many iterations leak nothing: no memory, records, files, threads or hooks."""

from __future__ import annotations

import copy
import gc
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tests import tiny_data
from tests.test_cli.conftest import Workspace

Seen = Callable[[object], None]
# Allowance for freed pages that the allocator keeps. A leak of 3 KB per step exceeds it in the long test, one of 100 KB
# in the short test. Tensors are counted separately, without any allowance.
TOLERANCE_MB = 4.0
SHORT_TOLERANCE_MB = 6.0


class State(NamedTuple):
    """Quantities that must not grow."""

    megabytes: float
    records: int
    tensors: int
    files: int
    threads: int
    module_hooks: int


class Watch(Hook):
    """Record the state of the process at chosen iterations."""

    def __init__(self, iterations: tuple[int, ...]) -> None:
        self.iterations = iterations
        self.states: list[State] = []

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        if runner.iter + 1 in self.iterations:
            del data_batch, outputs
            self.states.append(state_of(runner.model))


def state_of(model: Any) -> State:
    gc.collect()
    managers = (model.distiller.student_recorders, model.distiller.teacher_recorders)
    modules = [*model.modules(), *model.teacher.modules()]
    return State(
        megabytes=int(Path('/proc/self/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE') / 1e6,
        records=sum(len(recorder.data_buffer) for manager in managers for recorder in manager.recorders.values()),
        tensors=sum(isinstance(thing, torch.Tensor) for thing in gc.get_objects()),
        files=len(os.listdir('/proc/self/fd')),
        threads=threading.active_count(),
        module_hooks=sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in modules),
    )


def config(workspace: Workspace, teacher: str, iters: int) -> Config:
    """Build EA-KD with everything that keeps state: module recorders, statistics, log history, hooks."""
    cfg = tiny_data.distill_config(workspace.data, teacher, iters=iters)
    cfg.model.architecture.train_cfg.rcnn.sampler.num = 8
    cfg.model.architecture.train_cfg.rpn_proposal.update(nms_pre=30, max_per_img=10)
    neck = dict(neck=dict(type='ModuleOutputs', source='neck'))
    mapping = {
        argument: dict(recorder='neck', from_student=argument[0] == 's', data_idx=0)
        for argument in ('s_feature', 't_feature')
    }
    cfg.model.distiller.update(student_recorders=neck, teacher_recorders=copy.deepcopy(neck))
    cfg.model.distiller.distill_losses['loss_l2'] = dict(type='L2Loss')
    cfg.model.distiller.loss_forward_mappings = dict(loss_l2=mapping)
    cfg.model.distiller.statistics_interval = 10
    cfg.train_dataloader.batch_size = 1
    for transform in cfg.train_dataloader.dataset.pipeline:
        if transform['type'] == 'Resize':
            transform['scale'] = (40, 32)
    cfg.train_cfg.val_interval = 10 * iters
    cfg.default_hooks.checkpoint.update(interval=10 * iters, save_best=None, save_last=False)
    cfg.default_hooks.logger.interval = 50
    cfg.log_processor.window_size = 10
    cfg.custom_hooks = [dict(type='eakd_det.ClassCheckHook'), dict(type='eakd_det.NonFiniteLossHook')]
    cfg.work_dir = str(workspace.work_dir)
    return cfg


def soak(workspace: Workspace, teacher: str, iters: int, warm: int) -> tuple[State, State]:
    runner = Runner.from_cfg(config(workspace, teacher, iters))
    watch = Watch((warm, iters))
    runner.register_hook(watch, priority='LOWEST')
    runner.train()
    first, last = watch.states
    assert last.records <= first.records == 0
    assert last.tensors <= first.tensors
    assert last.files <= first.files
    assert last.threads <= first.threads
    assert last.module_hooks == first.module_hooks
    return first, last


def told(iters: int, first: State, last: State) -> str:
    return (
        f'{iters} iterations: {first.megabytes:.1f} MB after warm-up, {last.megabytes:.1f} MB at the end; records '
        f'{first.records} -> {last.records}, tensors {first.tensors} -> {last.tensors}, files {first.files} -> '
        f'{last.files}, threads {first.threads} -> {last.threads}'
    )


@pytest.mark.fault('100 iterations of EA-KD', expected='no growth of memory, records, tensors, files, threads')
def test_a_short_soak(workspace: Workspace, teacher_ckpt: str, seen: Seen) -> None:
    first, last = soak(workspace, teacher_ckpt, iters=100, warm=40)
    assert last.megabytes - first.megabytes < SHORT_TOLERANCE_MB
    seen(told(100, first, last))


@pytest.mark.slow
@pytest.mark.fault('2000 iterations of EA-KD', expected=f'no growth; memory within {TOLERANCE_MB} MB of after warm-up')
def test_a_long_soak(workspace: Workspace, teacher_ckpt: str, seen: Seen) -> None:
    first, last = soak(workspace, teacher_ckpt, iters=2000, warm=500)
    assert last.megabytes - first.megabytes < TOLERANCE_MB
    seen(told(2000, first, last))


def test_the_soak_detects_a_leak(workspace: Workspace, teacher_ckpt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from eakd_det.losses import KDLoss

    kept, terms = [], KDLoss.terms
    monkeypatch.setattr(KDLoss, 'terms', lambda self, *a, **k: kept.append(terms(self, *a, **k)) or kept[-1])
    with pytest.raises(AssertionError):
        soak(workspace, teacher_ckpt, iters=8, warm=4)
