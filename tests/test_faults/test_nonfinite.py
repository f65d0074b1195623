"""A non-finite loss: the run and its checkpoints."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from mmdet.models import BBoxHead
from mmengine.config import Config
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.hooks.finite import non_finite
from eakd_det.hooks.step_guard import StepGuard
from eakd_det.losses import KDLoss
from tests import tiny_data
from tests.test_cli.conftest import Workspace, one_error

Seen = Callable[[object], None]
HOOK = 'eakd_det.NonFiniteLossHook'


def config(workspace: Workspace, teacher: str, iters: int = 6, interval: int = 2, **policy: Any) -> Config:
    cfg = tiny_data.distill_config(workspace.data, teacher, iters=iters)
    cfg.custom_hooks = [dict(type=HOOK, **policy)]
    cfg.train_cfg.val_interval = 1000
    cfg.default_hooks.checkpoint.update(interval=interval, max_keep_ckpts=1, save_best=None)
    return cfg


@pytest.fixture
def spoil_kd(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that sets the distillation loss to ``value`` in the given iterations, counted from 1."""

    def spoil(*iterations: int, value: float = float('nan')) -> None:
        calls = iter(range(1, 10_000))
        forward = KDLoss.reduce

        def reduce(self: KDLoss, terms: Any) -> Tensor:
            return forward(self, terms) * (value if next(calls) in iterations else 1.0)

        monkeypatch.setattr(KDLoss, 'reduce', reduce)

    return spoil


def weights(path: Path) -> dict[str, Tensor]:
    return torch.load(path, weights_only=True)['state_dict']


@pytest.mark.fault(
    'a loss becomes {value}', expected='the run ends, naming term, iteration, images and last checkpoint'
)
@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_stop(workspace: Workspace, teacher_ckpt: str, spoil_kd: Any, capsys: Any, seen: Seen, value: float) -> None:
    spoil_kd(4, value=value)
    assert workspace.train(workspace.write(config(workspace, teacher_ckpt))) == 1
    error = one_error(capsys.readouterr())
    assert f'got distill.loss_kd={value} in iteration 4 on images' in error
    assert 'student.' not in error  # neither finite terms nor the sum are named
    images = error.split('images ')[1].split(';')[0].split(', ')
    assert len(images) == 2
    assert set(images) <= {'1', '2', '3', '4'}
    assert f'the last good checkpoint is {workspace.work_dir}/iter_2.pth' in error
    assert [path.name for path in workspace.work_dir.glob('iter_*.pth')] == ['iter_2.pth']
    assert not non_finite(weights(workspace.work_dir / 'iter_2.pth'))
    seen(error.replace(str(workspace.root), '.'))


@pytest.mark.fault('weights turn NaN in the very step after which a checkpoint is due', expected='the last one is kept')
def test_bad_weights_are_not_saved(
    workspace: Workspace,
    teacher_ckpt: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
    seen: Seen,
) -> None:
    """The loss is still finite; with ``max_keep_ckpts=1``, MMEngine removes the old file before it writes."""
    step, calls = OptimWrapper.step, iter(range(1, 100))

    def poisoned(self: OptimWrapper, **kwargs: Any) -> None:
        if next(calls) == 4:
            self.optimizer.param_groups[0]['params'][0].grad[0] = float('inf')
        step(self, **kwargs)

    monkeypatch.setattr(OptimWrapper, 'step', poisoned)
    assert workspace.train(workspace.write(config(workspace, teacher_ckpt))) == 1
    error = one_error(capsys.readouterr())
    assert 'weights: expected finite values' in error
    assert 'after iteration 4' in error
    assert [path.name for path in workspace.work_dir.glob('iter_*.pth')] == ['iter_2.pth']
    assert (workspace.work_dir / 'last_checkpoint').read_text().endswith('iter_2.pth')
    assert not non_finite(weights(workspace.work_dir / 'iter_2.pth'))
    seen(error.replace(str(workspace.root), '.'))


@pytest.mark.fault('a bad loss with policy skip', expected='its step is skipped, all others are the same')
def test_skip(workspace: Workspace, teacher_ckpt: str, spoil_kd: Any, seen: Seen) -> None:
    spoil_kd(2, 3)
    cfg = config(workspace, teacher_ckpt, iters=4, interval=1, policy='skip')
    cfg.default_hooks.checkpoint.max_keep_ckpts = 10
    cfg.model.architecture.backbone.norm_eval = True
    assert workspace.train(workspace.write(cfg)) == 0
    first, second, third, fourth = (weights(workspace.work_dir / f'iter_{index}.pth') for index in (1, 2, 3, 4))
    assert all(torch.equal(first[name], second[name]) and torch.equal(first[name], third[name]) for name in first)
    assert any(not torch.equal(third[name], fourth[name]) for name in first)
    log = next(workspace.work_dir.glob('*/*.log')).read_text()
    assert 'distill.loss_kd=nan in iteration 3 on images' in log
    assert 'skipping the step (2 of at most 20)' in log
    seen('weights after iterations 1, 2 and 3 are equal to the bit, training continues in 4; two warnings in the log')


@pytest.mark.fault('{what} bad losses than policy skip allows', expected='the run ends and names the limit')
@pytest.mark.parametrize(('what', 'spoilt', 'limits'), [
    ('more', (1, 3, 5), dict(limit=2)),
    ('more in a row', (2, 3, 4), dict(limit_in_a_row=2)),
])  # fmt: skip
def test_skip_has_a_limit(
    workspace: Workspace,
    teacher_ckpt: str,
    spoil_kd: Any,
    capsys: Any,
    seen: Seen,
    what: str,
    spoilt: tuple[int, ...],
    limits: dict[str, int],
) -> None:
    spoil_kd(*spoilt)
    assert workspace.train(workspace.write(config(workspace, teacher_ckpt, policy='skip', **limits))) == 1
    error = one_error(capsys.readouterr())
    assert f'in iteration {spoilt[-1]} ' in error
    name, limit = next(iter(limits.items()))
    assert f'NonFiniteLossHook.{name}={limit} iterations were skipped before' in error
    seen(error.replace(str(workspace.root), '.'))


@pytest.mark.fault('running statistics turn NaN with policy skip', expected='the run ends: no skip undoes that')
def test_skip_does_not_hide_non_finite_statistics(
    workspace: Workspace,
    teacher_ckpt: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
    seen: Seen,
) -> None:
    forward, calls = torch.nn.BatchNorm2d.forward, iter(range(1, 100_000))

    def broken(self: torch.nn.BatchNorm2d, data: Tensor) -> Tensor:
        return forward(self, data * (float('nan') if self.training and next(calls) == 1 else 1.0))

    monkeypatch.setattr(torch.nn.BatchNorm2d, 'forward', broken)
    monkeypatch.setattr(BBoxHead, 'loss', lambda self, cls_score, *a, **k: dict(loss_cls=cls_score.sum()))
    cfg = config(workspace, teacher_ckpt, policy='skip')
    assert workspace.train(workspace.write(cfg)) == 1
    error = one_error(capsys.readouterr())
    assert 'running_mean' in error
    seen(error.replace(str(workspace.root), '.'))


@pytest.mark.fault('resume or start from weights that are NaN', expected='training refuses to start')
def test_refuses_to_start(workspace: Workspace, teacher_ckpt: str, capsys: Any, seen: Seen) -> None:
    content = torch.load(teacher_ckpt, weights_only=True)
    content['state_dict']['rpn_head.rpn_conv.bias'][0] = float('nan')
    torch.save(content, workspace.root / 'bad.pth')
    cfg = config(workspace, teacher_ckpt)
    cfg.load_from = str(workspace.root / 'bad.pth')
    assert workspace.train(workspace.write(cfg)) == 1
    error = one_error(capsys.readouterr())
    assert 'rpn_head.rpn_conv.bias' in error
    assert not list(workspace.work_dir.glob('iter_*.pth'))
    seen(error.replace(str(workspace.root), '.'))


class CPUScaler(AmpOptimWrapper):
    """MMEngine's AMP wrapper with a gradient scaler for the CPU."""

    def __init__(self, init_scale: float = 2.0**16, **kwargs: Any) -> None:
        OptimWrapper.__init__(self, **kwargs)
        self.loss_scaler = torch.amp.GradScaler('cpu', init_scale=init_scale)
        self._scale_update_param = None
        self.cast_dtype = torch.bfloat16


OPTIM_WRAPPERS.register_module(module=CPUScaler, force=True)


@pytest.mark.fault('the GradScaler leaves out a step', expected='no error, and nothing counted')
@pytest.mark.parametrize('policy', ['stop', 'skip'])
def test_grad_scaler_overflow_is_not_an_error(
    workspace: Workspace,
    teacher_ckpt: str,
    seen: Seen,
    policy: str,
) -> None:
    cfg = config(workspace, teacher_ckpt, iters=2, interval=1, policy=policy)
    # The scaled loss overflows float32: the gradients of the first steps are inf, the loss itself is not.
    cfg.optim_wrapper.update(type='CPUScaler', init_scale=3e38)
    assert workspace.train(workspace.write(cfg)) == 0
    state = torch.load(workspace.work_dir / 'iter_2.pth', weights_only=True)
    assert state['optimizer']['loss_scaler']['scale'] == 3e38 / 4 or state['optimizer']['loss_scaler']['scale'] < 2e38
    assert 'skipping the step' not in next(workspace.work_dir.glob('*/*.log')).read_text()
    seen(f'scale {3e38:g} -> {state["optimizer"]["loss_scaler"]["scale"]:g}, the run goes on')


def one_layer(**kwargs: Any) -> tuple[torch.nn.Linear, OptimWrapper]:
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 1)
    return layer, OptimWrapper(torch.optim.SGD(layer.parameters(), lr=0.1), **kwargs)


def losses(layer: torch.nn.Linear, bad: tuple[int, ...], count: int = 6) -> Any:
    rows = torch.randn(count, 3, generator=torch.Generator().manual_seed(1))
    return (layer(row).square().sum() * (float('nan') if index in bad else 1) for index, row in enumerate(rows))


@pytest.mark.fault('a bad loss while gradients are accumulated over 3', expected='the whole step is skipped')
@pytest.mark.parametrize('bad', [3, 4, 5])
def test_accumulation_skips_whole_steps(seen: Seen, bad: int) -> None:
    reference, wrapper = one_layer(accumulative_counts=3)
    wrapper.initialize_count_status(reference, 0, 6)
    for index, loss in enumerate(losses(reference, ())):
        if index < 3:
            wrapper.update_params(loss)

    layer, wrapper = one_layer(accumulative_counts=3)
    wrapper.initialize_count_status(layer, 0, 6)
    guard = StepGuard(wrapper)
    skipped = []
    for loss in losses(layer, (bad,)):
        wrapper.update_params(loss)
        skipped.append(guard.skipped)
    assert skipped == [index == bad for index in range(6)]
    assert torch.equal(layer.weight, reference.weight)
    assert all(parameter.grad is None for parameter in layer.parameters())
    seen('first step as without the guard, second skipped, no gradient remains')


def test_a_guard_that_never_skips_changes_nothing() -> None:
    results = []
    for guarded in (False, True):
        layer, wrapper = one_layer(accumulative_counts=2, clip_grad=dict(max_norm=1.0))
        wrapper.initialize_count_status(layer, 0, 6)
        if guarded:
            StepGuard(wrapper)
        for loss in losses(layer, ()):
            wrapper.update_params(loss)
        results.append(copy.deepcopy(layer.weight))
    assert torch.equal(*results)


@pytest.mark.parametrize('arguments', [
    dict(policy='ignore'), dict(policy=None), dict(limit=-1), dict(limit=2.5), dict(limit_in_a_row=True),
])  # fmt: skip
def test_arguments(arguments: dict[str, Any]) -> None:
    from eakd_det.hooks import NonFiniteLossHook

    key = next(iter(arguments))
    with pytest.raises(ConfigError, match=f'NonFiniteLossHook.{key}: expected'):
        NonFiniteLossHook(**arguments)


def test_large_finite_values_are_accepted() -> None:
    assert non_finite({'a': torch.full((9,), 3e38), 'b': torch.full((2,), 60000.0, dtype=torch.float16)}) == ()
