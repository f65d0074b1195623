"""AdaKD's weights, from the teacher's loss."""

from __future__ import annotations

import math

import pytest
import torch

from eakd_det.activation import set_activation
from eakd_det.errors import ConfigError
from eakd_det.functional import adakd_weight
from eakd_det.losses import EmbeddingLoss, KDLoss, PKDLoss
from eakd_det.weighting import TeacherLossWeighting

ADAKD = dict(type='TeacherLossWeighting', total_iters=4)


def test_formula_by_hand():
    teacher, labels = torch.tensor([[0.9, 0.1], [0.2, 0.8]]).log(), torch.tensor([0, 0])
    losses = [-math.log(0.9), -math.log(0.2)]
    expected = [math.exp(-1 / math.sqrt(math.exp(-3.0 * (loss - 0.5)))) for loss in losses]
    assert adakd_weight(teacher, labels, slope=3.0, pivot=0.5).tolist() == pytest.approx(expected)


def test_from_easy_to_hard_sites():
    teacher, labels = 4 * torch.randn(20, 7), torch.randint(7, (20,))
    weighting = TeacherLossWeighting(total_iters=4)
    weights = [weighting(teacher, teacher, labels) for _ in range(6)]
    for step, slope in enumerate((1.0, 0.5, 0.0, -0.5, -1.0, -1.0)):
        torch.testing.assert_close(weights[step], adakd_weight(teacher, labels, slope))
    torch.testing.assert_close(weights[2], torch.full((20,), 1 / math.e))
    assert torch.equal(weights[0].argsort(), weights[4].argsort(descending=True))


@pytest.mark.parametrize('slope', [100.0, -100.0])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float16])
def test_extremes(slope, dtype):
    sure = torch.tensor([[1000.0, -1000.0], [1000.0, -1000.0]], dtype=dtype)
    weights = adakd_weight(sure, torch.tensor([0, 1]), slope)
    assert weights.dtype == torch.float32
    assert weights.sort().values.tolist() == [0.0, 1.0]
    assert adakd_weight(sure[:0], torch.zeros(0, dtype=torch.long), slope).shape == (0,)


def test_a_loss_of_images_weighs_by_it_as_well():
    logits, labels, images = torch.randn(6, 3), torch.randint(3, (6,)), torch.tensor([0, 0, 0, 1, 1, 1])
    loss = PKDLoss(num_levels=1, weighting=ADAKD).eval()
    given = dict(features_S=[torch.randn(2, 4, 3, 3)], features_T=[torch.randn(2, 4, 3, 3)])
    terms = loss.terms(**given, preds_S=logits, preds_T=logits, images=images, gt_labels=labels)
    expected = adakd_weight(logits, labels, 1.0).reshape(2, 3).mean(dim=1)
    torch.testing.assert_close(terms.weights, expected)


def test_without_labels():
    logits = torch.randn(3, 4)
    with pytest.raises(ConfigError, match=r'^EmbeddingLoss: expected gt_labels for its weighting, but got none'):
        EmbeddingLoss(weighting=ADAKD)(logits, logits, logits, logits)


def test_sigmoid_scores():
    with pytest.raises(ConfigError, match="TeacherLossWeighting reads the teacher's loss at the label"):
        set_activation(KDLoss(weighting=ADAKD), 'sigmoid')
