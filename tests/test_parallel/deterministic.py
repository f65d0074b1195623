"""Comparable runs: deterministic samplers, frozen norms, and a record of each step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmdet.models.task_modules.samplers import RandomSampler
from mmdet.registry import HOOKS, TASK_UTILS
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from torch import Tensor, distributed, nn

from tests import tiny, tiny_data


@TASK_UTILS.register_module(force=True)
class FirstOnes(RandomSampler):
    """Sample the first candidates instead of random ones.

    An image then has the same samples in any batch, usually ``num`` of them. The mean over two images is thus the mean
    of their means, and two processes with one image each learn the same as one process with both.
    """

    def random_choice(self, gallery: Tensor, num: int) -> Tensor:
        return gallery[:num]


def detector(num_rois: int = 16) -> dict[str, Any]:
    """Return a thin Faster R-CNN whose loss of a batch is the mean over its images."""
    cfg = tiny.faster_rcnn(num_rois=num_rois)
    cfg.backbone.norm_eval = True
    cfg.train_cfg.rpn.sampler.update(type='FirstOnes', num=64)
    cfg.train_cfg.rcnn.sampler.update(type='FirstOnes')
    cfg.test_cfg.rpn.update(nms_pre=50, max_per_img=20)
    return cfg


def distiller() -> dict[str, Any]:
    """Return a distiller with trained parts: a temperature, fusion modules and an MMRazor connector."""
    ea = dict(type='eakd_det.EntropyWeighting', tau=3.0)
    level = dict(recorder='fpn', data_idx=0)
    return dict(
        type='eakd_det.ProposalDistiller',
        distill_losses=dict(
            loss_kd=dict(type='eakd_det.KDLoss', tau=dict(type='LearnedTemperature', ramp_iters=2), weighting=ea),
            loss_review=dict(
                type='eakd_det.ReviewKDLoss', student_channels=16, teacher_channels=16, mid_channels=8, weighting=ea
            ),
            loss_fpn=dict(type='mmrazor.L2Loss', normalize=False, div_element=True),
        ),
        student_recorders=dict(fpn=dict(type='ModuleOutputs', source='neck')),
        teacher_recorders=dict(fpn=dict(type='ModuleOutputs', source='neck')),
        connectors=dict(widen=dict(type='mmrazor.ConvModuleConnector', in_channel=16, out_channel=16)),
        loss_forward_mappings=dict(
            loss_fpn=dict(
                s_feature=dict(level, from_student=True, connector='widen'),
                t_feature=dict(level, from_student=False),
            )
        ),
    )


def model(teacher_ckpt: str | None = None) -> dict[str, Any]:
    """Return a distillation with :func:`distiller`."""
    return dict(
        type='eakd_det.ProposalDistill',
        architecture=detector(),
        teacher=detector(),
        teacher_ckpt=teacher_ckpt,
        teacher_options=dict(enabled=False),  # not folded, for comparison with its checkpoint
        distiller=distiller(),
    )


def config(root: Path, teacher_ckpt: str, batch_size: int, iters: int = 3, **probe: Any) -> Config:
    """Return a run of :func:`model` over the images in order, without validation."""
    cfg = tiny_data.run_config(root, model(teacher_ckpt), iters)
    cfg.train_dataloader.update(batch_size=batch_size, sampler=dict(type='InfiniteSampler', shuffle=False))
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    cfg.default_hooks.checkpoint = dict(type='CheckpointHook', by_epoch=False, interval=iters)
    cfg.custom_imports = dict(imports=['tests.test_parallel.deterministic'])
    cfg.custom_hooks = [dict(type='Probe', **probe)]
    return cfg


def freeze_norms(module: nn.Module) -> None:
    """Freeze BatchNorm, whose batch statistics depend on the division of the batch."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eval()


def tensors_of(algorithm: Any) -> dict[str, Tensor]:
    """Return copies of all parameters and buffers of student and distiller."""
    named = (*algorithm.named_parameters(), *algorithm.named_buffers())
    return {name: value.detach().clone() for name, value in named}


@HOOKS.register_module(force=True)
class Probe(Hook):
    """Record the steps of this process in ``probe_<rank>.pth`` in the work folder.

    Args:
        crash: Kind of failure, rank and iteration: 'raise', 'hang', or 'mark', which writes the process id to a file
            and waits for a signal.
    """

    priority = 'LOWEST'

    def __init__(self, crash: tuple[str, int, int] | None = None) -> None:
        self.crash = tuple(crash) if crash else None
        self.losses: list[dict[str, float]] = []
        self.parameters: list[dict[str, Tensor]] = []
        self.rates: list[float] = []
        self.broadcasts = 0

    def before_train(self, runner: Any) -> None:
        self.facts = dict(_wrapping(runner.model))
        if not distributed.is_initialized():
            return
        broadcast = distributed._broadcast_coalesced

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.broadcasts += 1
            return broadcast(*args, **kwargs)

        distributed._broadcast_coalesced = counted

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        freeze_norms(runner.model)
        if self.crash and (runner.rank, runner.iter) == self.crash[1:]:
            from tests.test_parallel import crashes

            crashes.happen(self.crash[0], Path(runner.work_dir))

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        self.losses.append({name: float(value) for name, value in outputs.items() if 'loss' in name})
        self.parameters.append(tensors_of(_algorithm(runner.model)))
        self.rates.append(runner.optim_wrapper.get_lr()['lr'][0])

    def after_train(self, runner: Any) -> None:
        content = dict(
            losses=self.losses,
            parameters=self.parameters,
            rates=self.rates,
            broadcasts=self.broadcasts,
            teacher=dict(_algorithm(runner.model).teacher.state_dict()),
            **self.facts,
        )
        torch.save(content, Path(runner.work_dir) / f'probe_{runner.rank}.pth')


def _algorithm(wrapped: nn.Module) -> Any:
    return wrapped.module if is_model_wrapper(wrapped) else wrapped


def _wrapping(wrapped: Any) -> Iterator[tuple[str, Any]]:
    """Yield the tensors that DistributedDataParallel handles."""
    if not is_model_wrapper(wrapped):
        return
    teacher = {value.data_ptr() for value in (*wrapped.module.teacher.parameters(), *wrapped.module.teacher.buffers())}
    handled = [*wrapped._module_parameters, *wrapped.modules_buffers]
    yield 'of_teacher', sum(value.data_ptr() in teacher for value in handled)
    yield 'reduced', len(wrapped._module_parameters)
    yield 'trained', sum(parameter.requires_grad for parameter in wrapped.module.parameters())
    yield 'finds_unused', wrapped.find_unused_parameters
    yield 'broadcasts_buffers', wrapped.broadcast_buffers
