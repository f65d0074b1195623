"""Distillation of boxes: which weights and sites count; the published numbers are in test_published_dense."""

from __future__ import annotations

import pytest
import torch

from eakd_det.activation import set_activation
from eakd_det.errors import ConfigError
from eakd_det.functional import binary_ea_weight, giou_divergence, l1_divergence
from eakd_det.losses import BoxLoss

OBJECTS = torch.tensor([True, False, True, True, False])


@pytest.fixture
def inputs():
    logits, corners = torch.randn(2, 5, 3), torch.rand(2, 5, 4)
    corners[..., 2:] += corners[..., :2]
    names = ('preds_S', 'preds_T', 'corners_S', 'corners_T')
    return dict(zip(names, (*logits, *corners), strict=True), objects=OBJECTS)


@pytest.mark.parametrize(('distance', 'function'), [('giou', giou_divergence), ('l1', l1_divergence)])
def test_a_distance_of_each_site(inputs, distance, function):
    terms = BoxLoss(distance, sites='objects').terms(**inputs)
    expected = function(inputs['corners_S'][OBJECTS], inputs['corners_T'][OBJECTS])
    torch.testing.assert_close(terms.divergence, expected)
    assert terms.weights.tolist() == [1, 1, 1]


def test_ea_weighs_a_site_by_the_mean_over_its_classes(inputs):
    loss = set_activation(BoxLoss(weighting=dict(type='EntropyWeighting', tau=1.0)), 'sigmoid')
    expected = binary_ea_weight(inputs['preds_S'], inputs['preds_T']).mean(dim=1)
    torch.testing.assert_close(loss.terms(**inputs).weights, expected)


@pytest.mark.parametrize('activation', ['softmax', 'sigmoid'])
def test_a_site_counts_as_much_as_the_networks_disagree(inputs, activation):
    loss = set_activation(BoxLoss(weighting=dict(type='DifferenceWeighting')), activation)
    scores = [
        side.sigmoid() if activation == 'sigmoid' else side.softmax(dim=1)[:, :2]
        for side in (inputs['preds_S'], inputs['preds_T'])
    ]
    torch.testing.assert_close(loss.terms(**inputs).weights, (scores[0] - scores[1]).abs().max(dim=1).values)
    same = dict(inputs, preds_T=inputs['preds_S'])
    assert loss(**same) == 0


def test_an_unknown_distance():
    with pytest.raises(ConfigError, match=r"^BoxLoss\.distance: expected one of giou, l1, but got 'iou'"):
        BoxLoss('iou')
