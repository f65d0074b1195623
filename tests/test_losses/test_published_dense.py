"""Losses of dense heads beside the published code of CrossKD and LD.

The numbers are those of ``kd_loss.py`` in github.com/jbwang1997/CrossKD (87e156a) and github.com/HikariTJU/LD (4287990)
for the inputs below, with the settings of their GFL configs: value, and sum of the absolute gradient. MMDetection adds
1.2e-7 to what it divides by.
"""

from __future__ import annotations

import pytest
import torch

from eakd_det.activation import set_activation
from eakd_det.errors import ConfigError
from eakd_det.losses import CrossHeadLoss, KDLoss, LDLoss

CLOSE = 1e-7
IMAGES, OBJECTS = torch.zeros(6, dtype=torch.long), torch.arange(6) < 4


@pytest.fixture
def inputs():
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(2, 6, 3, generator=generator, dtype=torch.float64)
    boxes = 3 * torch.randn(2, 6, 4, 17, generator=generator, dtype=torch.float64)
    names = ('preds_S', 'preds_T', 'boxes_S', 'boxes_T')
    return dict(zip(names, (*logits, *boxes), strict=True), images=IMAGES, objects=OBJECTS)


def check(loss, given, argument, value, gradient):
    set_activation(loss, 'sigmoid')
    given[argument] = given[argument].clone().requires_grad_()
    result = loss(**{name: tensor for name, tensor in given.items() if name in loss.reads})
    (found,) = torch.autograd.grad(result, given[argument])
    assert result.item() == pytest.approx(value, rel=CLOSE)
    assert found.abs().sum().item() == pytest.approx(gradient, rel=CLOSE)


@pytest.mark.parametrize(
    ('beta', 'value', 'gradient'),
    [(1, 3.1942599697934018, 1.871643379928716), (2, 2.0831498446054266, 1.492942782143887)],
)
def test_crosskd_of_classes(inputs, beta, value, gradient):
    """KDQualityFocalLoss, divided by four objects; on the crossed scores in CrossKD, on the plain ones in BCKD."""
    check(KDLoss(focal_beta=beta, reduction='objects'), inputs, 'preds_S', value, gradient)
    crossed = CrossHeadLoss(focal_beta=beta, reduction='objects')
    inputs.update(predict_T=lambda levels: (levels[0], None), features_S=[inputs['preds_S'].detach()])
    set_activation(crossed, 'sigmoid')
    result = crossed(**{name: value for name, value in inputs.items() if name in crossed.reads})
    assert result.item() == pytest.approx(value, rel=CLOSE)


def test_crosskd_of_box_sides(inputs):
    weighting = dict(type='ConfidenceWeighting', side='teacher', normalize=True)
    loss = LDLoss(tau=1.0, loss_weight=4.0, sites='all', weigh_by='classes', weighting=weighting)
    check(loss, inputs, 'boxes_S', 21.4262464771753, 6.801857829074261)


def test_ld(inputs):
    weighting = dict(type='ConfidenceWeighting', side='student')
    loss = LDLoss(loss_weight=0.25 / 17, sites='all', reduction='sum', weigh_by='classes', weighting=weighting)
    check(loss, inputs, 'boxes_S', 0.5726299732585877, 0.20223989430898953)


def test_softmax_scores_have_no_quality(inputs):
    with pytest.raises(ConfigError, match=r'^KDLoss\.focal_beta: expected None, because the scores are a softmax'):
        KDLoss(focal_beta=1.0)(inputs['preds_S'], inputs['preds_T'])


def test_a_learned_temperature_is_refused_when_the_loss_is_built():
    with pytest.raises(ConfigError, match=r'^KDLoss\.tau: expected a number with focal_beta'):
        KDLoss(tau=dict(type='LearnedTemperature'), focal_beta=1.0)
