"""Distances of boxes beside MMDetection's."""

from __future__ import annotations

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.functional import giou_divergence, l1_divergence

UNIT = torch.tensor([[0.0, 0.0, 1.0, 1.0]], dtype=torch.float64)


def boxes(rows=40):
    """Boxes in any position to each other."""
    corner = torch.rand(2, rows, 2, dtype=torch.float64)
    student, teacher = torch.cat([corner, corner + 0.1 + torch.rand(2, rows, 2, dtype=torch.float64)], dim=2)
    return student.requires_grad_(), teacher


def test_equals_mmdetection():
    from mmdet.models.losses.iou_loss import giou_loss

    student, teacher = boxes()
    ours = giou_divergence(student, teacher)
    torch.testing.assert_close(ours, giou_loss(student, teacher, reduction='none'), rtol=1e-9, atol=1e-9)
    theirs = giou_loss(student, teacher, reduction='sum')
    gradients = [torch.autograd.grad(value, student)[0] for value in (ours.sum(), theirs)]
    torch.testing.assert_close(*gradients, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ('student', 'value'),
    [
        ([0.0, 0.0, 1.0, 1.0], 0.0),  # the same
        ([0.0, 0.0, 1.0, 0.5], 0.5),  # a half of it
        ([1.0, 0.0, 2.0, 1.0], 1.0),  # beside it, without a gap
        ([2.0, 0.0, 3.0, 1.0], 1 + 1 / 3),  # a third of the box around both is empty
        ([2.0, 2.0, 3.0, 3.0], 1 + 7 / 9),
        ([1e6, 0.0, 1e6 + 1, 1.0], 2.0),  # far away
        ([0.5, 0.5, 0.5, 0.5], 1.0),  # empty, inside
        ([1.0, 1.0, 0.0, 0.0], 1.0),  # corners in the wrong order
    ],
)
def test_values_by_hand(student, value):
    result = giou_divergence(torch.tensor([student], dtype=torch.float64), UNIT)
    assert result.item() == pytest.approx(value, abs=1e-5)


def test_any_unit_of_each_axis_will_do():
    student, teacher = boxes()
    stretch, shift = torch.tensor([7.0, 0.3, 7.0, 0.3]), torch.tensor([-5.0, 20.0, -5.0, 20.0])
    moved = giou_divergence(student * stretch + shift, teacher * stretch + shift)
    torch.testing.assert_close(moved, giou_divergence(student, teacher), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize('distance', [giou_divergence, l1_divergence])
def test_gradients(distance):
    student, teacher = boxes(8)
    assert torch.autograd.gradcheck(lambda s: distance(s, teacher), student)
    teacher.requires_grad_()
    distance(student, teacher).sum().backward()
    assert teacher.grad is None


@pytest.mark.parametrize('distance', [giou_divergence, l1_divergence])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
def test_extremes_are_finite(distance, dtype):
    corners = torch.tensor([0.0, 1000.0, -1000.0, 1e-4], dtype=dtype)
    every = torch.cartesian_prod(*[corners] * 4)
    student = every.repeat(2, 1).requires_grad_()
    value = distance(student, torch.cat([every, every.flip(0)]))
    value.sum().backward()
    assert value.dtype == torch.float32
    assert value.isfinite().all()
    assert student.grad.isfinite().all()
    assert (value >= 0).all()


def test_l1():
    assert l1_divergence(UNIT, UNIT + torch.tensor([0.0, 1.0, -2.0, 1.0])).item() == 1.0


@pytest.mark.parametrize('distance', [giou_divergence, l1_divergence])
def test_no_boxes(distance):
    assert distance(torch.zeros(0, 4), torch.zeros(0, 4)).shape == (0,)


def test_shapes():
    with pytest.raises(ConfigError, match=r'^student and teacher: expected features of the same shape \(R, 4\)'):
        giou_divergence(UNIT, UNIT.repeat(2, 1))
