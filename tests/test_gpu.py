"""Losses, ops and one distilled step on a CUDA device give what they give on the CPU."""

from __future__ import annotations

import copy

import pytest
import torch

from eakd_det.building import build_model

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device'),
]
DEVICE = 'cuda'
EA = dict(type='EntropyWeighting')
LOSSES = {
    'ea-kd': dict(type='KDLoss', tau=2.0, weighting=EA),
    'ea-dkd': dict(type='DKDLoss', weighting=EA),
    'ctkd+ls': dict(type='KDLoss', tau=dict(type='LearnedTemperature'), standardize=True),
    'mld': dict(type='MLDLoss'),
}


@pytest.mark.parametrize('cfg', LOSSES.values(), ids=LOSSES)
def test_loss_and_gradient(cfg):
    generator = torch.Generator().manual_seed(0)
    student, teacher = 3 * torch.randn(2, 512, 81, generator=generator)
    labels = torch.randint(81, (512,), generator=generator)
    results = []
    for device in ('cpu', DEVICE):
        logits = student.to(device).requires_grad_()
        value = build_model(cfg).to(device)(logits, teacher.to(device), labels.to(device))
        value.backward()
        results.append((value.detach().cpu(), logits.grad.cpu()))
    torch.testing.assert_close(*results, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_loss_under_autocast_is_float32(dtype):
    student = torch.randn(64, 81, device=DEVICE, dtype=dtype, requires_grad=True)
    with torch.autocast(DEVICE, dtype=dtype):
        value = build_model(LOSSES['ea-kd'])(student, torch.randn(64, 81, device=DEVICE, dtype=dtype))
    assert value.dtype == torch.float32
    value.backward()
    assert student.grad.isfinite().all()


@pytest.mark.parametrize('channels', [1, 16])
def test_roi_align_with_and_without_torchvision(monkeypatch, channels):
    from eakd_det.mm.ops import roi_align

    features = torch.rand(2, channels, 40, 60)
    rois = torch.tensor([[0.0, 3, 4, 150, 90], [1, -5, 10, 60, 200], [1, 20, 20, 21, 21]])
    expected = roi_align.roi_align(features, rois, 7, 0.25)
    torch.testing.assert_close(roi_align.roi_align(features.to(DEVICE), rois.to(DEVICE), 7, 0.25).cpu(), expected)
    monkeypatch.setattr(roi_align, 'torchvision_ops', lambda: None)
    torch.testing.assert_close(roi_align.roi_align(features.to(DEVICE), rois.to(DEVICE), 7, 0.25).cpu(), expected)


def test_nms_with_and_without_torchvision(monkeypatch):
    from eakd_det.mm.ops import nms

    corners = 100 * torch.rand(3000, 2)
    boxes, scores = torch.cat([corners, corners + 5 + 30 * torch.rand(3000, 2)], dim=1), torch.rand(3000)
    expected = nms.nms(boxes, scores, 0.5)
    assert torch.equal(nms.nms(boxes.to(DEVICE), scores.to(DEVICE), 0.5).cpu(), expected)
    monkeypatch.setattr(nms, 'torchvision_ops', lambda: None)
    assert torch.equal(nms.nms(boxes.to(DEVICE), scores.to(DEVICE), 0.5).cpu(), expected)


def test_a_distilled_step():
    from tests import tiny

    student, teacher = tiny.build(tiny.faster_rcnn()), tiny.build(tiny.faster_rcnn(), seed=1)
    losses = dict(
        loss_kd=dict(type='eakd_det.KDLoss', weighting=dict(type='eakd_det.EntropyWeighting')),
        loss_review=dict(type='eakd_det.ReviewKDLoss', student_channels=16, teacher_channels=16),
    )
    model = tiny.distill(copy.deepcopy(student), teacher, losses).to(DEVICE).train()
    values = tiny.step(model, tiny.batch())
    assert next(model.teacher.parameters()).device.type == torch.device(DEVICE).type
    assert all(values[f'distill.{name}'].isfinite() for name in losses)
    assert all(p.grad.isfinite().all() for p in model.student.parameters() if p.grad is not None)
