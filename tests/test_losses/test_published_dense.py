"""Losses of dense heads beside the published code of CrossKD, LD and BCKD.

For the inputs below the numbers are those of ``kd_loss.py`` in github.com/jbwang1997/CrossKD (87e156a),
github.com/HikariTJU/LD (4287990) and github.com/TinyTigerPan/BCKD (121c9aa), with the settings of their GFL configs:
value, and sum of the absolute gradient. For BCKD's boxes they are those of the lines in its ``ld_head.py``, with
MMDetection's ``GIoULoss``. MMDetection adds 1.2e-7 to what it divides by.
"""

from __future__ import annotations

import pytest
import torch

from eakd_det.activation import set_activation
from eakd_det.errors import ConfigError
from eakd_det.losses import BoxLoss, CrossHeadLoss, KDLoss, LDLoss

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
    """KDQualityFocalLoss, divided by four objects; on the crossed scores in CrossKD, on the plain ones in BCKD.

    BCKD's NovelKDLoss, which has ``beta`` 1, gives the same numbers.
    """
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


def test_bckd_of_boxes(inputs):
    """GIoU of the expected distances around each centre; the weight is the largest difference of the scores."""
    distances = {
        side: inputs[f'boxes_{side}'].requires_grad_().softmax(dim=2) @ torch.arange(17.0).double() for side in 'ST'
    }
    centre = torch.arange(12.0, dtype=torch.float64).view(6, 2)
    for side, sides in distances.items():
        inputs[f'corners_{side}'] = torch.cat([centre - sides[:, :2], centre + sides[:, 2:]], dim=1)
    loss = BoxLoss(loss_weight=4.0, reduction='objects', weighting=dict(type='DifferenceWeighting'))
    set_activation(loss, 'sigmoid')
    result = loss(**{name: value for name, value in inputs.items() if name in loss.reads})
    (gradient,) = torch.autograd.grad(result, inputs['boxes_S'])
    assert result.item() == pytest.approx(2.3317746769436027, rel=CLOSE)
    assert gradient.abs().sum().item() == pytest.approx(1.1659322509962844, rel=CLOSE)


def test_softmax_scores_have_no_quality(inputs):
    with pytest.raises(ConfigError, match=r'^KDLoss\.focal_beta: expected None, because the scores are a softmax'):
        KDLoss(focal_beta=1.0)(inputs['preds_S'], inputs['preds_T'])
    with pytest.raises(ConfigError, match=r'^key: expected support for the softmax .* focal_beta compares sigmoid'):
        set_activation(KDLoss(focal_beta=1.0), 'softmax', 'key')


def test_a_learned_temperature_is_refused_when_the_loss_is_built():
    with pytest.raises(ConfigError, match=r'^KDLoss\.tau: expected a number with focal_beta'):
        KDLoss(tau=dict(type='LearnedTemperature'), focal_beta=1.0)
