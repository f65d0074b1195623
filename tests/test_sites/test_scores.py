"""Entropies and merged classes of softmax and sigmoid scores."""

from __future__ import annotations

import math

import pytest
import torch

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


@pytest.mark.parametrize('tau', [0.5, 1.0, 3.0])
def test_each_sigmoid_is_a_softmax_over_two(tau):
    logits = 4 * torch.randn(6, 5, dtype=torch.float64)
    pairs = torch.stack([logits, torch.zeros_like(logits)], dim=2).flatten(0, 1)
    expected = entropy(pairs, tau).view(6, 5)
    torch.testing.assert_close(SigmoidScores(5).class_entropy(logits, tau), expected)
    torch.testing.assert_close(SigmoidScores(5).entropy(logits, tau), expected.mean(dim=1))
    assert float(SigmoidScores(5).entropy(torch.zeros(1, 5))) == pytest.approx(math.log(2))


def test_confident_sigmoids_keep_their_digits():
    logits = torch.tensor([[30.0, -30.0, 1000.0, -1000.0]], requires_grad=True)
    values = SigmoidScores(4).class_entropy(logits)
    tiny = 31 * math.exp(-30)  # h(z) = (1 + z) exp(-z) to first order
    torch.testing.assert_close(values, torch.tensor([[tiny, tiny, 0, 0]]), rtol=1e-5, atol=0)
    values.sum().backward()
    assert logits.grad.isfinite().all()
    assert SigmoidScores(4).entropy(logits[:0]).shape == (0,)


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
