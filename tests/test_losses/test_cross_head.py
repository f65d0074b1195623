"""The teacher's head on the student's features."""

from __future__ import annotations

import pytest
import torch

from eakd_det.activation import set_activation
from eakd_det.errors import ConfigError
from eakd_det.functional import InnerMaps
from eakd_det.losses import CrossHeadLoss, KDLoss

EA = dict(type='EntropyWeighting', tau=1.0)


def head(features):
    """A linear head at the points of one level, ``(1, D, H, W)``."""
    rows = features[0].flatten(2).transpose(1, 2).flatten(0, 1)
    return rows @ torch.arange(12.0).sub(6).div(4).view(4, 3), None


@pytest.mark.parametrize('activation', ['softmax', 'sigmoid'])
def test_is_kd_of_the_crossed_prediction_at_the_weights_of_the_plain_one(activation):
    features = [torch.randn(1, 4, 2, 3, requires_grad=True)]
    student, teacher = torch.randn(2, 6, 3)
    loss = set_activation(CrossHeadLoss(tau=2.0, weighting=EA), activation)
    terms = loss.terms(student, teacher, head, features)
    plain = set_activation(KDLoss(tau=2.0, weighting=EA), activation)
    torch.testing.assert_close(terms.weights, plain.terms(student, teacher).weights)
    torch.testing.assert_close(terms.divergence, plain.terms(head(features)[0], teacher).divergence)
    loss.reduce(terms).backward()
    assert features[0].grad.abs().sum() > 0


def test_a_bridge_fits_the_widths():
    features = [torch.randn(1, 2, 2, 3)]
    logits = torch.randn(6, 3)
    loss = CrossHeadLoss(student_channels=2, teacher_channels=4, num_levels=1)
    loss(logits, logits, head, features).backward()
    assert all(parameter.grad is not None for parameter in loss.parameters())
    with pytest.raises(ConfigError, match=r'^CrossHeadLoss\.student_channels: .* but got 2 channels'):
        CrossHeadLoss()(logits, logits, head, features)


def test_arguments():
    with pytest.raises(ConfigError, match=r"^CrossHeadLoss\.sites: expected 'all'"):
        CrossHeadLoss(sites='objects')
    with pytest.raises(ConfigError, match=r'^CrossHeadLoss: expected both'):
        CrossHeadLoss(student_channels=4)
    for other in (dict(student_channels=4, teacher_channels=4), dict(feature_weight=1.0)):
        with pytest.raises(ConfigError, match=r'^CrossHeadLoss\.after: expected 0 with bridges'):
            CrossHeadLoss(after=1, **other)


def test_bridges_of_another_width_are_an_error():
    levels, logits = [torch.randn(1, 6, 4, 4)], torch.randn(3, 5)
    loss = CrossHeadLoss(student_channels=5, teacher_channels=8, num_levels=1)
    with pytest.raises(ConfigError, match=r'^CrossHeadLoss\.student_channels: .* but got 6 channels'):
        loss(logits, logits, lambda _: (logits, None), levels)


def test_inside_the_head_maps_get_the_teachers_moments():
    maps = InnerMaps(2, [torch.randn(2, 4, 2, 3)], [torch.randn(2, 4, 2, 3)])
    moments = InnerMaps(2, [torch.rand(2, 4)], [torch.rand(2, 4)])
    logits, seen = torch.randn(12, 3), []
    loss = CrossHeadLoss(after=2)
    assert {'inner_S', 'inner_T'} <= set(loss.default_mapping)
    assert not {'inner_S', 'features_S'} <= set(CrossHeadLoss().default_mapping)
    loss(logits, logits, lambda given: (seen.append(given) or logits, None), inner_S=maps, inner_T=moments)
    torch.testing.assert_close(seen[0].moments().classes[0], moments.classes[0])
    torch.testing.assert_close(seen[0].moments().boxes[0], moments.boxes[0])
    with pytest.raises(ConfigError, match=r'^CrossHeadLoss: expected inner_S and inner_T for after'):
        loss(logits, logits, lambda _: (logits, None))
