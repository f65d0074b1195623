"""PKD: correlation of channels, selected channels, and MMRazor's loss as reference."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.functional import pkd_divergence
from eakd_det.losses import PKDLoss


def test_mean_is_one_minus_the_correlation():
    student, teacher = torch.randn(2, 3, 4, 5, 6, dtype=torch.float64)
    channels = [tuple(side[:, index].flatten().numpy() for side in (student, teacher)) for index in range(4)]
    expected = np.mean([1 - np.corrcoef(*pair)[0, 1] for pair in channels])
    torch.testing.assert_close(pkd_divergence(student, teacher).mean().item(), expected, rtol=1e-4, atol=0)


def test_scale_and_shift_of_a_channel_do_not_matter():
    student, teacher = torch.randn(2, 3, 4, 5, 6)
    scaled = teacher * torch.rand(4, 1, 1).add(0.5) + torch.randn(4, 1, 1)
    torch.testing.assert_close(pkd_divergence(student, scaled), pkd_divergence(student, teacher), rtol=1e-4, atol=1e-5)


def test_constant_channel_has_a_finite_gradient():
    student = torch.zeros(2, 3, 4, 4, requires_grad=True)
    pkd_divergence(student, torch.randn(2, 3, 4, 4)).sum().backward()
    assert student.grad.isfinite().all()


def test_with_equal_weights_it_is_mmrazors_loss():
    from mmrazor.models.losses import PKDLoss as Reference

    student, teacher = ([torch.randn(2, 4, size, size) for size in (32, 16)] for _ in range(2))
    ours = PKDLoss(num_levels=2, loss_weight=6.0)(features_S=student, features_T=teacher)
    torch.testing.assert_close(ours, Reference(loss_weight=6.0)(tuple(student), tuple(teacher)), rtol=0.01, atol=0)


def test_wider_teacher_is_compared_by_the_channels_that_a_student_inherits():
    student, teacher = torch.randn(2, 3, 5, 5), torch.randn(2, 6, 5, 5)
    loss = PKDLoss(num_levels=1)
    expected = loss(features_S=[student], features_T=[teacher[:, [0, 2, 4]]])
    assert torch.equal(loss(features_S=[student], features_T=[teacher]), expected)


@pytest.mark.parametrize(('levels', 'channels', 'message'), [(2, 4, 'num_levels'), (1, 2, 'channels of the student')])
def test_what_cannot_be_compared_is_an_error(levels, channels, message):
    loss = PKDLoss(num_levels=levels)
    with pytest.raises(ConfigError, match=message):
        loss(features_S=[torch.randn(1, 4, 5, 5)], features_T=[torch.randn(1, channels, 5, 5)])
