"""Entropies and merged classes of softmax and sigmoid scores."""

from __future__ import annotations

import math

import pytest
import torch

from eakd_det import functional
from eakd_det.functional import entropy
from eakd_det.sites import ClassGroups, SigmoidScores, SoftmaxScores
from eakd_det.sites.scores import ClassTranslation

GROUPS = ClassGroups([[2, 3, 4], [0]], [1])


def binary_entropy(probability):
    return -(probability.xlogy(probability) + (1 - probability).xlogy(1 - probability))


def test_softmax_has_the_entropy_of_all_columns():
    logits = 3 * torch.randn(6, 4)
    torch.testing.assert_close(SoftmaxScores(3).entropy(logits, 2.0), entropy(logits, 2.0))
    assert float(SoftmaxScores(3).entropy(torch.zeros(1, 4))) == pytest.approx(SoftmaxScores(3).max_entropy)


def test_sigmoids_have_the_mean_entropy_of_the_classes():
    logits = 4 * torch.randn(6, 5)
    torch.testing.assert_close(
        SigmoidScores(5).entropy(logits, 2.0), functional.binary_entropy(logits, 2.0).mean(dim=1)
    )
    assert float(SigmoidScores(5).entropy(torch.zeros(1, 5))) == pytest.approx(math.log(2))
    assert SigmoidScores(5).entropy(logits[:0]).shape == (0,)


@pytest.mark.parametrize('scores', [SoftmaxScores(5), SigmoidScores(5)])
def test_gradients(scores):
    logits = torch.randn(3, scores.num_columns, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(scores.entropy, logits)
    assert torch.autograd.gradcheck(ClassTranslation(scores, GROUPS), logits)


def test_softmax_probabilities_of_merged_classes_add_up():
    logits = torch.randn(7, 6, dtype=torch.float64)
    before, after = logits.softmax(dim=1), ClassTranslation(SoftmaxScores(5), GROUPS)(logits).softmax(dim=1)
    expected = torch.stack([before[:, 2:5].sum(dim=1), before[:, 0], before[:, 5] + before[:, 1]], dim=1)
    torch.testing.assert_close(after, expected)


def test_merged_sigmoids_are_any_of_their_members():
    logits = torch.randn(7, 5, dtype=torch.float64)
    before, after = logits.sigmoid(), ClassTranslation(SigmoidScores(5), GROUPS)(logits)
    assert torch.equal(after[:, 1], logits[:, 0])
    torch.testing.assert_close(after[:, 0].sigmoid(), 1 - (1 - before[:, 2:5]).prod(dim=1))


def test_merged_sigmoids_of_extreme_scores():
    logits = torch.tensor([[0.0, 0, 1000, -1000, 1000], [0.0, 0, -1000, -1000, -1000]])
    after = ClassTranslation(SigmoidScores(5), GROUPS)(logits)
    torch.testing.assert_close(after[:, 0], torch.tensor([2000, -1000 + math.log(3)]))
