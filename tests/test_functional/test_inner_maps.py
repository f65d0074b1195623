"""Maps inside a head at another mean and standard deviation."""

from __future__ import annotations

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.functional import InnerMaps, channel_moments, match_moments


def aligned(student, teacher):
    """Rescale as CrossKD's ``align_scale`` does (github.com/jbwang1997/CrossKD, 87e156a)."""
    flat, other = (features.permute(1, 0, 2, 3).reshape(features.shape[1], -1) for features in (student, teacher))
    flat = (flat - flat.mean(dim=1, keepdim=True)) / (flat.std(dim=1, keepdim=True) + 1e-6)
    flat = flat * other.std(dim=1, keepdim=True) + other.mean(dim=1, keepdim=True)
    return flat.reshape(student.transpose(0, 1).shape).transpose(0, 1)


def test_equals_the_published_rescaling():
    student = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    teacher = 3 * torch.randn(2, 3, 4, 5, dtype=torch.float64) + 1
    ours, theirs = match_moments(student, channel_moments(teacher)), aligned(student, teacher)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
    direction = torch.randn_like(student)
    gradients = [torch.autograd.grad((value * direction).sum(), student)[0] for value in (ours, theirs)]
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-5)


def test_gradient():
    student = torch.randn(2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    moments = torch.rand(2, 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda features: match_moments(features, moments), student)


def test_the_result_has_the_moments():
    moments = torch.rand(2, 3) + 0.1
    torch.testing.assert_close(channel_moments(match_moments(torch.randn(2, 3, 4, 5), moments)), moments)


@pytest.mark.parametrize('features', [torch.zeros(2, 3, 2, 2), torch.randn(1, 3, 1, 1)])
def test_a_map_without_deviation_gets_the_mean(features):
    moments = torch.rand(2, 3)
    features.requires_grad_()
    result = match_moments(features, moments)
    result.sum().backward()
    torch.testing.assert_close(result, moments[0].view(-1, 1, 1).expand_as(result), rtol=0, atol=1e-4)
    assert features.grad.isfinite().all()
    assert channel_moments(torch.randn(1, 3, 1, 1))[1].tolist() == [0.0, 0.0, 0.0]


def test_both_stacks_are_matched():
    maps, others = (InnerMaps(1, [torch.randn(2, 3, 4, 4)], [torch.randn(2, 5, 4, 4)]) for _ in range(2))
    matched = maps.matched(others.moments()).moments()
    torch.testing.assert_close(matched.classes, others.moments().classes)
    torch.testing.assert_close(matched.boxes, others.moments().boxes)


def test_other_channels_are_refused():
    with pytest.raises(ConfigError, match=r'^match_moments\.moments: expected \(2, 3\), but got \(2, 4\)'):
        match_moments(torch.randn(1, 3, 2, 2), torch.rand(2, 4))
