"""One process has usable images and the other has none: no hang, no NaN."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.structures import InstanceData

from tests import tiny
from tests.test_parallel import deterministic
from tests.test_parallel.processes import run_in_two

EA = dict(type='eakd_det.EntropyWeighting', tau=3.0)
CHANNELS = dict(student_channels=16, teacher_channels=16)
LOSSES: dict[str, dict[str, Any]] = dict(
    kd=dict(loss_kd=dict(type='eakd_det.KDLoss', weighting=EA)),
    dkd=dict(loss_dkd=dict(type='eakd_det.DKDLoss', weighting=dict(EA, normalize=True))),
    learned=dict(
        loss_kd=dict(
            type='eakd_det.KDLoss', tau=dict(type='LearnedTemperature', ramp_iters=1), weighting=dict(EA, tau=1.0)
        )
    ),
    review=dict(loss_review=dict(type='eakd_det.ReviewKDLoss', mid_channels=8, weighting=EA, **CHANNELS)),
    fcfd=dict(loss_fcfd=dict(type='eakd_det.FCFDLoss', weighting=EA, **CHANNELS)),
    pad=dict(loss_pad=dict(type='eakd_det.PADLoss', student_channels=24, teacher_channels=24, warmup_iters=1)),
)

SLOW = ('kd', 'fcfd', 'pad')  # 'learned' covers EA-KD


def plain(data: dict[str, Any]) -> None:
    """Leave the batch unchanged."""


def no_ground_truth(data: dict[str, Any]) -> None:
    """Remove all boxes."""
    for sample in data['data_samples']:
        sample.gt_instances = sample.gt_instances[:0]


def crowds_only(data: dict[str, Any]) -> None:
    """Mark all boxes as crowds, which MMDetection's data sets return as ignored."""
    for sample in data['data_samples']:
        sample.ignored_instances, sample.gt_instances = sample.gt_instances, sample.gt_instances[:0]


def one_pixel(data: dict[str, Any]) -> None:
    """Shrink boxes to one pixel, the last one further, as by a resize after the data set's filter."""
    for sample in data['data_samples']:
        boxes = sample.gt_instances.bboxes
        boxes[:, 2:] = boxes[:, :2] + 1
        boxes[-1, 2:] = boxes[-1, :2] + 0.1


def one_empty_image(data: dict[str, Any]) -> None:
    """Remove the boxes of one image."""
    data['data_samples'][0].gt_instances = data['data_samples'][0].gt_instances[:0]


INPUTS: dict[str, Callable[[dict[str, Any]], None]] = {
    function.__name__: function for function in (no_ground_truth, crowds_only, one_pixel, one_empty_image)
}


def algorithm(losses: dict[str, Any]) -> Any:
    student, teacher = tiny.build(tiny.faster_rcnn(num_rois=16)), tiny.build(tiny.faster_rcnn(num_rois=16), seed=1)
    teacher.roi_head.bbox_head.fc_cls.weight.data.mul_(100)
    return tiny.distill(student, teacher, copy.deepcopy(losses)).train()


def train_step(model: Any, optimizer: OptimWrapper, change: Callable[[dict[str, Any]], None], seed: int) -> None:
    data = tiny.batch(seed=seed)
    change(data)
    torch.manual_seed(seed)
    logged = model.train_step(data, optimizer)
    assert all(value.isfinite().all() for value in logged.values() if isinstance(value, torch.Tensor)), logged


def sgd(model: Any) -> OptimWrapper:
    return OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9))


def _nothing_in_one(losses: dict[str, Any], rank: int) -> dict[str, Any]:
    """Train on each input in one process and a plain one in the other, both ways; return the parameters."""
    model = algorithm(losses)
    start = deterministic.tensors_of(model)
    wrapped = MMDistributedDataParallel(model, broadcast_buffers=False)
    optimizer = sgd(wrapped)
    for change in INPUTS.values():
        for turn in (0, 1):
            train_step(wrapped, optimizer, change if rank == turn else plain, seed=rank)
    if rank:
        model.student.rpn_head.loss_and_predict = functools.partial(no_proposals, model.student.rpn_head)
    train_step(wrapped, optimizer, no_ground_truth if rank else plain, seed=rank)
    end = {name: value.detach() for name, value in model.named_parameters()}
    return dict(end=end, still=[name for name, value in end.items() if torch.equal(value, start[name])])


def no_proposals(head: Any, features: Any, samples: Any, **_: Any) -> tuple[dict[str, Any], list[InstanceData]]:
    """Return no proposals from the RPN, but a loss that reaches its layers."""
    scores, deltas = head(features)
    boxes = features[0].new_zeros(0, 4)
    zeros = [(score.sum() + delta.sum()) * 0 for score, delta in zip(scores, deltas, strict=True)]
    return dict(loss_rpn_cls=zeros), [InstanceData(bboxes=boxes, scores=boxes[:, 0]) for _ in samples]


@pytest.mark.fault(
    '{losses}: one of two processes has no boxes, crowds only, 1-pixel boxes or no proposal at all',
    expected='no hang, no unused parameter, finite losses, equal parameters',
)
@pytest.mark.parametrize('losses', [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in LOSSES])
def test_one_process_has_nothing_to_learn_from(tmp_path: Path, losses: str, seen: Callable[[str], None]) -> None:
    first, second = run_in_two(functools.partial(_nothing_in_one, LOSSES[losses]), tmp_path)

    for name, value in first['end'].items():
        assert torch.equal(value, second['end'][name]), name
    idle = [name for name in first['still'] if 'to_student.levels' not in name]  # small boxes use the finest one only
    assert idle == []
    seen(f'{len(INPUTS) * 2 + 1} steps; {len(first["end"])} parameters equal in both processes, and trained')


@pytest.mark.fault('{inputs}: a whole batch in a single process', expected='finite losses, gradients everywhere')
@pytest.mark.parametrize('inputs', INPUTS)
@pytest.mark.parametrize('losses', LOSSES)
def test_a_batch_of_nothing(losses: str, inputs: str, seen: Callable[[str], None]) -> None:
    model = algorithm(LOSSES[losses])
    data = tiny.batch()
    INPUTS[inputs](data)
    logged = tiny.step(model, data)

    for name, value in logged.items():
        assert (
            torch.stack([torch.as_tensor(item) for item in (value if isinstance(value, list) else [value])])
            .isfinite()
            .all()
        ), name
    gradients = {name: value.grad for name, value in model.named_parameters()}
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients.values())
    seen(f'{losses}: {len(logged)} values finite, {len(gradients)} gradients')


def _stopped(rank: int) -> dict[str, Any]:
    model = algorithm({**LOSSES['learned'], **LOSSES['review']})
    wrapped = MMDistributedDataParallel(model, broadcast_buffers=False)
    optimizer = sgd(wrapped)
    for step in range(4):
        model.distillation_stopped = step > 0  # as MMRazor's StopDistillHook does
        before = deterministic.tensors_of(model)
        train_step(wrapped, optimizer, plain, seed=2 * step + rank)
    after = deterministic.tensors_of(model)
    return dict(end=after, moved=[name for name in after if not torch.equal(after[name], before[name])])


def test_distillation_stops_in_two_processes(tmp_path: Path) -> None:
    """The distiller's parameters have no gradient any more, with which DDP would fail."""
    first, second = run_in_two(_stopped, tmp_path)
    parameters = [name for name in first['end'] if 'running' not in name and 'num_batches' not in name]
    assert all(torch.equal(first['end'][name], second['end'][name]) for name in parameters)
    assert 'architecture.backbone.conv1.weight' in first['moved']
