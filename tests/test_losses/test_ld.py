"""Localization distillation, compared with the published loss in MMDetection."""

from __future__ import annotations

import math

import pytest
import torch

from eakd_det.activation import set_activation
from eakd_det.errors import ConfigError
from eakd_det.functional import ea_weight
from eakd_det.losses import LDLoss

OBJECTS = torch.tensor([True, False, True, True, False])


@pytest.fixture
def inputs():
    logits, boxes = torch.randn(2, 5, 3), 3 * torch.randn(2, 5, 4, 17)
    return dict(
        preds_S=logits[0], preds_T=logits[1], boxes_S=boxes[0].requires_grad_(), boxes_T=boxes[1], objects=OBJECTS
    )


def test_equals_the_published_loss(inputs):
    from mmdet.models.losses import KnowledgeDistillationKLDivLoss

    weighting = dict(type='ConfidenceWeighting', side='student')
    loss = LDLoss(loss_weight=0.25 / 17, reduction='sum', weigh_by='classes', weighting=weighting)
    set_activation(loss, 'sigmoid')
    weight = inputs['preds_S'].sigmoid().max(dim=1).values[OBJECTS]  # as in LDHead.loss_by_feat_single
    expected = KnowledgeDistillationKLDivLoss(loss_weight=0.25, T=10)(
        inputs['boxes_S'][OBJECTS].flatten(0, 1),
        inputs['boxes_T'][OBJECTS].flatten(0, 1),
        weight=weight[:, None].expand(-1, 4).reshape(-1),
        avg_factor=4.0,
    )
    torch.testing.assert_close(loss(**inputs), expected)
    ours, theirs = (torch.autograd.grad(value, inputs['boxes_S'])[0] for value in (loss(**inputs), expected))
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize('activation', ['softmax', 'sigmoid'])
def test_ea_weighs_each_side_by_its_bins(inputs, activation):
    loss = set_activation(LDLoss(weighting=dict(type='EntropyWeighting', tau=2.0)), activation)
    terms = loss.terms(**inputs)
    sides = (inputs[name][OBJECTS].detach().flatten(0, 1) for name in ('boxes_S', 'boxes_T'))
    torch.testing.assert_close(terms.weights, ea_weight(*sides, tau=2.0).view(3, 4))
    flat = {name: torch.zeros_like(value) if 'boxes' in name else value for name, value in inputs.items()}
    torch.testing.assert_close(loss.terms(**flat).weights, torch.full((3, 4), math.log(17)))


def test_around_an_object_the_overlap_is_the_weight(inputs):
    valuable = torch.tensor([0.0, 0.5, 0.0, 0.25, 0.0])
    loss = LDLoss(tau=10.0, loss_weight=2.0, reduction='sum', sites='valuable', weigh_by='overlap')
    sites = LDLoss(tau=10.0, sites='all', reduction='none')(**inputs)
    torch.testing.assert_close(loss(**inputs, valuable=valuable), 2 * (sites * valuable).sum())
    with pytest.raises(ConfigError, match=r"^LDLoss\.sites: expected 'valuable', because weigh_by is 'overlap'"):
        LDLoss(weigh_by='overlap')
    with pytest.raises(ConfigError, match=r'^LDLoss\.weighting: expected None'):
        LDLoss(sites='valuable', weigh_by='overlap', weighting=dict(type='EntropyWeighting'))


def test_around_an_object_it_equals_the_published_loss(inputs):
    """``loss_ld_vlr`` of github.com/HikariTJU/LD (4287990): the weight is the IoU, and 16 divides, not 4."""
    from mmdet.models.losses import KnowledgeDistillationKLDivLoss

    overlap = torch.tensor([0.0, 0.5, 0.0, 0.25, 0.0])
    rows = overlap > 0
    expected = KnowledgeDistillationKLDivLoss(loss_weight=0.25, T=10)(
        inputs['boxes_S'][rows].flatten(0, 1),
        inputs['boxes_T'][rows].flatten(0, 1),
        weight=overlap[rows][:, None].expand(-1, 4).reshape(-1),
        avg_factor=16.0,
    )
    loss = LDLoss(loss_weight=0.25 / 68, reduction='sum', sites='valuable', weigh_by='overlap')
    torch.testing.assert_close(loss(**inputs, valuable=overlap), expected)


def test_only_distributions_can_be_compared(inputs):
    inputs['boxes_T'] = inputs['boxes_T'][..., 0]
    with pytest.raises(ConfigError, match=r'^LDLoss\.boxes_T: expected distributions of box sides'):
        LDLoss()(**inputs)


def test_without_objects_it_is_a_zero_with_a_graph(inputs):
    inputs['objects'] = OBJECTS & False
    loss = LDLoss(weighting=dict(type='EntropyWeighting'), reduction='objects')(**inputs)
    loss.backward()
    assert loss == 0
    assert inputs['boxes_S'].grad.abs().max() == 0
