"""MMEngine's ``EMAHook`` in a distillation: stock MMDetection loads the averaged student."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import EMAHook
from torch import Tensor

from eakd_det.checkpoint import load_checkpoint_file
from eakd_det.distillation import ProposalDistill
from tests import tiny, tiny_data
from tests.test_cli.conftest import Workspace
from tests.test_parallel import deterministic

MOMENTUM = 0.3


def config(workspace: Workspace, iters: int, **ema: Any) -> Config:
    """Return a run with a trained temperature, fusion and connector; the record of the steps comes last."""
    cfg = deterministic.config(workspace.data, str(workspace.root / 'teacher.pth'), batch_size=2, iters=iters)
    cfg.custom_hooks = [dict(type='EMAHook', momentum=MOMENTUM, **ema), *cfg.custom_hooks]
    return cfg


def probe(workspace: Workspace) -> dict[str, Any]:
    return torch.load(workspace.work_dir / 'probe_0.pth')


def student_of(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    prefix = 'architecture.'
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}


@pytest.mark.parametrize('update_buffers', [False, True])
def test_the_checkpoint_is_the_average_of_the_student(workspace: Workspace, update_buffers: bool) -> None:
    assert workspace.train(workspace.write(config(workspace, 3, update_buffers=update_buffers))) == 0
    checkpoint = load_checkpoint_file(str(workspace.work_dir / 'iter_3.pth'), 'checkpoint')

    steps = [student_of(tensors) for tensors in probe(workspace)['parameters']]
    stock = tiny.build(deterministic.detector())
    parameters = dict(stock.named_parameters())
    average = {name: steps[0][name] for name in parameters}  # MMEngine's first update is a copy
    for step in steps[1:]:
        average = {name: (1 - MOMENTUM) * value + MOMENTUM * step[name] for name, value in average.items()}

    stock.load_state_dict(checkpoint['state_dict'])  # strict: contains neither teacher nor distiller
    for name, value in average.items():
        torch.testing.assert_close(parameters[name].detach(), value, rtol=1e-5, atol=1e-7)
    source = {name.removeprefix('module.'): value for name, value in checkpoint['ema_state_dict'].items()}
    assert all(torch.equal(source[name], steps[-1][name]) for name in parameters)
    assert source.keys() == {*checkpoint['state_dict'], 'steps'}


def test_the_teacher_is_not_copied(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks: list[Any] = []
    before_run = EMAHook.before_run
    monkeypatch.setattr(EMAHook, 'before_run', lambda hook, runner: (before_run(hook, runner), hooks.append(hook)))
    assert workspace.train(workspace.write(config(workspace, 1))) == 0

    (hook,) = hooks
    averaged, source = hook.ema_model.module, hook.src_model
    assert averaged.teacher is source.teacher
    teacher = {value.data_ptr() for value in source.teacher.parameters()}
    assert teacher.isdisjoint(value.data_ptr() for value in averaged.parameters())
    assert len(list(averaged.parameters())) == len(list(source.parameters()))


def test_validation_uses_the_average_and_training_does_not(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Tensor] = []
    val_step = ProposalDistill.val_step

    def noting(model: ProposalDistill, data: Any) -> Any:
        seen.append(model.student.backbone.conv1.weight.detach().clone())
        return val_step(model, data)

    monkeypatch.setattr(ProposalDistill, 'val_step', noting)
    cfg, validating = config(workspace, 2), tiny_data.student_config(workspace.data)
    for key in ('val_dataloader', 'val_cfg', 'val_evaluator'):
        cfg[key] = validating[key]
    assert workspace.train(workspace.write(cfg)) == 0

    steps = [student_of(tensors)['backbone.conv1.weight'] for tensors in probe(workspace)['parameters']]
    assert torch.equal(seen[0], steps[0])  # MMEngine's first update is a copy
    torch.testing.assert_close(seen[-1], (1 - MOMENTUM) * steps[0] + MOMENTUM * steps[1], rtol=1e-5, atol=1e-8)
    assert not torch.equal(seen[-1], steps[1])
    source = load_checkpoint_file(str(workspace.work_dir / 'iter_2.pth'), 'checkpoint')['ema_state_dict']
    assert torch.equal(source['module.backbone.conv1.weight'], steps[1])


def test_a_resumed_run_continues_model_and_average(workspace: Workspace) -> None:
    """Model and average are swapped in the checkpoint; the distiller's parameters must not be."""
    whole, half = config(workspace, 4), config(workspace, 4)
    whole.default_hooks.checkpoint.interval = half.default_hooks.checkpoint.interval = 2
    assert workspace.train(workspace.write(whole)) == 0
    expected = load_checkpoint_file(str(workspace.work_dir / 'iter_4.pth'), 'checkpoint'), probe(workspace)

    (workspace.work_dir / 'iter_4.pth').unlink()
    assert workspace.train(workspace.write(half), '--resume', str(workspace.work_dir / 'iter_2.pth')) == 0
    resumed = load_checkpoint_file(str(workspace.work_dir / 'iter_4.pth'), 'checkpoint'), probe(workspace)

    for key in ('state_dict', 'ema_state_dict'):
        for name, value in expected[0][key].items():
            assert torch.equal(value, resumed[0][key][name]), (key, name)
    assert len(resumed[1]['parameters']) == 2
    for name, value in expected[1]['parameters'][-1].items():
        assert torch.equal(value, resumed[1]['parameters'][-1][name]), name
