"""Mixed precision on a CPU: bfloat16 autocast and MMEngine's loss scaling."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
from mmdet.structures.mask import BitmapMasks
from mmengine.optim import AmpOptimWrapper
from mmengine.optim.optimizer import amp_optimizer_wrapper
from torch import Tensor

from eakd_det.models import keep_boxes_in_float32
from tests import tiny
from tests.test_parallel import deterministic

CHANNELS = dict(student_channels=16, teacher_channels=16)
EA = dict(type='eakd_det.EntropyWeighting', tau=3.0)
LOSSES = dict(
    loss_kd=dict(type='eakd_det.KDLoss', tau=dict(type='LearnedTemperature', ramp_iters=2), weighting=EA),
    loss_dkd=dict(type='eakd_det.DKDLoss', weighting=EA),
    loss_review=dict(type='eakd_det.ReviewKDLoss', mid_channels=8, weighting=EA, **CHANNELS),
    loss_fcfd=dict(type='eakd_det.FCFDLoss', box_weight=0, weighting=EA, **CHANNELS),
)


def algorithm(base: str = 'faster-rcnn_r50_fpn', losses: dict[str, Any] | None = None) -> Any:
    student, teacher = (
        tiny.build(tiny.faster_rcnn(base=base, num_rois=16)),
        tiny.build(deterministic.detector(), seed=1),
    )
    teacher.roi_head.bbox_head.fc_cls.weight.data.mul_(100)
    return tiny.distill(student, teacher, copy.deepcopy(losses or LOSSES)).train()


def with_masks(data: dict[str, Any]) -> dict[str, Any]:
    for sample in data['data_samples']:
        height, width = sample.img_shape
        masks = np.ones((len(sample.gt_instances), height, width), dtype=np.uint8)
        sample.gt_instances.masks = BitmapMasks(masks, height, width)
    return data


@pytest.mark.parametrize('base', ['faster-rcnn_r50_fpn', 'cascade-rcnn_r50_fpn', 'mask-rcnn_r50_fpn'])
def test_a_step_under_bfloat16_autocast(base: str) -> None:
    """In MMDetection's own step, anchors and proposals are bfloat16, which mmcv's NMS and RoIAlign do not support."""
    model, data = algorithm(base), with_masks(tiny.batch())
    expected = tiny.step(model, data)
    dtypes: dict[str, torch.dtype] = {}
    for name in ('backbone', 'neck', 'roi_head.bbox_roi_extractor', 'roi_head.bbox_head'):
        for side, detector in (('student', model.student), ('teacher', model.teacher)):
            module = detector.get_submodule(name)
            module = module[0] if isinstance(module, torch.nn.ModuleList) else module
            module.register_forward_hook(functools.partial(_note_dtype, dtypes, f'{side}.{name}'))

    with torch.autocast('cpu', torch.bfloat16):
        actual = tiny.step(model, data)

    for side in ('student', 'teacher'):
        assert dtypes[f'{side}.backbone'] == dtypes[f'{side}.neck'] == torch.bfloat16
        assert dtypes[f'{side}.roi_head.bbox_head'] == torch.bfloat16
        assert dtypes[f'{side}.roi_head.bbox_roi_extractor'] == torch.float32
    for name in (name for name in expected if 'loss' in name):
        values = [
            torch.stack(list(loss[name])) if isinstance(loss[name], list) else loss[name] for loss in (actual, expected)
        ]
        torch.testing.assert_close(*values, rtol=0.1, atol=0.02, msg=lambda text, name=name: f'{name}: {text}')
    gradients = {name: value.grad for name, value in model.named_parameters()}
    assert all(grad is not None and grad.isfinite().all() for grad in gradients.values())


def _note_dtype(dtypes: dict[str, torch.dtype], name: str, module: Any, inputs: Any, outputs: Any) -> None:
    dtypes[name] = (outputs if isinstance(outputs, Tensor) else outputs[0]).dtype


def test_boxes_keep_their_precision() -> None:
    """Rounded to 8 bits, this box would extend from 1000 to 1016 instead of from 1003 to 1014."""
    extractor = SingleRoIExtractor(dict(type='RoIAlign', output_size=2, sampling_ratio=1), 1, [1, 2])
    ramp = torch.arange(1040.0).expand(1, 1, 16, 1040)
    levels = [level.remainder(8).bfloat16() for level in (ramp, ramp[..., ::2])]
    roi = torch.tensor([[0.0, 1003.4, 3, 1014.2, 9]])
    expected = extractor([level.float() for level in levels], roi)
    keep_boxes_in_float32(extractor)
    assert torch.equal(extractor(levels, roi), expected)
    rounded = extractor([level.float() for level in levels], roi.bfloat16().float())
    assert (rounded - expected).abs().max() > 1

    head = tiny.build(tiny.faster_rcnn()).rpn_head
    keep_boxes_in_float32(head)
    head.test_cfg.update(nms_pre=20, max_per_img=20)
    with torch.autocast('cpu', torch.bfloat16), torch.no_grad():
        (found,) = head.predict(
            [torch.randn(1, 16, *size) for size in ((8, 400), (4, 200), (2, 100), (1, 50), (1, 25))],
            [tiny.batch(((32, 1600),))['data_samples'][0]],
        )
    assert found.bboxes.dtype == found.scores.dtype == torch.float32


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.float64])
def test_other_precisions_are_left_to_mmdetection(dtype: torch.dtype) -> None:
    seen: list[Any] = []
    extractor = SingleRoIExtractor(dict(type='RoIAlign', output_size=2), 1, [1])
    keep_boxes_in_float32(extractor)
    extractor.forward = lambda levels, rois: seen.extend([*levels, rois])
    levels, rois = (torch.zeros(1, 1, 4, 4, dtype=dtype),), torch.zeros(0, 5)
    extractor(levels, rois)
    assert [id(value) for value in seen] == [id(levels[0]), id(rois)]


@pytest.fixture
def amp(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AmpOptimWrapper]:
    """MMEngine's wrapper with an emulated GPU and a gradient scaler for the CPU."""
    monkeypatch.setattr(amp_optimizer_wrapper, 'is_cuda_available', lambda: True)
    monkeypatch.setattr(amp_optimizer_wrapper, 'GradScaler', functools.partial(torch.amp.GradScaler, 'cpu'))

    def wrap(model: Any, **kwargs: Any) -> AmpOptimWrapper:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        return AmpOptimWrapper(optimizer=optimizer, dtype='bfloat16', **kwargs)

    return wrap


def train(model: Any, optimizer: Any, steps: int = 2) -> dict[str, Tensor]:
    for seed in range(steps):
        torch.manual_seed(seed)
        np.random.seed(seed)
        model.train_step(tiny.batch(seed=seed), optimizer)
    return deterministic.tensors_of(model)


def test_the_loss_scale_has_no_effect(amp: Callable[..., AmpOptimWrapper]) -> None:
    """Unscaling by a power of two is exact, including reversed gradients and clipping."""
    models = [algorithm() for _ in range(2)]
    results = [
        train(model, amp(model, loss_scale=scale, clip_grad=dict(max_norm=1.0)))
        for model, scale in zip(models, (1.0, 1024.0), strict=True)
    ]
    start = deterministic.tensors_of(algorithm())
    for name, value in results[0].items():
        torch.testing.assert_close(value, results[1][name], rtol=1e-5, atol=1e-7)
    assert not torch.equal(
        results[0]['distiller.distill_losses.loss_kd.tau.theta'], start['distiller.distill_losses.loss_kd.tau.theta']
    )


def test_gradients_are_really_scaled(amp: Callable[..., AmpOptimWrapper]) -> None:
    norms = []
    for scale in (1.0, 4096.0):
        model = algorithm()
        parameter = dict(model.named_parameters())['distiller.distill_losses.loss_kd.tau.theta']
        model.distiller.distill_losses.loss_kd.tau.iterations.count.fill_(2)  # the ramp's end
        parameter.register_hook(lambda grad: norms.append(float(grad)))
        train(model, amp(model, loss_scale=scale), steps=1)
    assert norms[1] == pytest.approx(4096 * norms[0], rel=1e-4)
    assert norms[0] != 0


@pytest.mark.fault('gradients overflow in mixed precision', expected='no parameter changes, the loss scale shrinks')
def test_an_overflow_skips_the_step(amp: Callable[..., AmpOptimWrapper], seen: Callable[[str], None]) -> None:
    model = algorithm()
    optimizer = amp(model, loss_scale=dict(init_scale=2.0**127, growth_interval=1000))
    start = {name: value.detach().clone() for name, value in model.named_parameters()}
    skipped = 0
    for step in range(40):
        scale = optimizer.loss_scaler.get_scale()
        train(model, optimizer, steps=1)
        changed = [name for name, value in model.named_parameters() if not torch.equal(value, start[name])]
        if optimizer.loss_scaler.get_scale() == scale:
            break
        assert optimizer.loss_scaler.get_scale() == scale / 2
        assert changed == []
        skipped = step + 1
    assert skipped > 0
    assert len(changed) > len(start) / 2
    assert all(value.isfinite().all() for value in model.parameters())
    seen(f'{skipped} steps skipped, then {len(changed)} of {len(start)} parameters learned')


@pytest.mark.parametrize('loss', ['loss_kd', 'loss_dkd'])
def test_scaling_saves_gradients_of_float16_logits(loss: str) -> None:
    """In float16 the gradient of one proposal of 512 underflows; with AMP's scale it has its exact value."""
    losses = algorithm().distiller.distill_losses
    torch.manual_seed(0)
    teacher, labels = torch.randn(512, 4) * 3, torch.randint(0, 4, (512,))
    student = teacher + torch.randn(512, 4) * 1e-3

    def gradient(dtype: torch.dtype, scale: float) -> Tensor:
        logits = student.to(dtype).requires_grad_()
        (
            losses[loss](logits, teacher.to(dtype).float() if dtype == torch.float32 else teacher.to(dtype), labels)
            * scale
        ).backward()
        assert logits.grad.dtype == dtype
        return logits.grad.float() / scale

    half = student.half().float(), teacher.half().float()
    exact = half[0].clone().requires_grad_()
    losses[loss](exact, half[1], labels).backward()
    scaled, lost = gradient(torch.float16, 2.0**16), gradient(torch.float16, 1.0)
    torch.testing.assert_close(scaled, exact.grad, rtol=2e-2, atol=1e-9)
    assert (lost == 0).float().mean() > (scaled == 0).float().mean()
