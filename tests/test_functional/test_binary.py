"""Divergence, entropy and weight of sigmoid scores, compared with a reference of 60 digits and a softmax over two."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.functional import (
    EA_MODES,
    binary_ea_weight,
    binary_entropy,
    binary_focal_divergence,
    binary_kd_divergence,
    binary_pairs,
    ea_weight,
    entropy,
    kd_divergence,
)

LOGITS = (-100.0, -30.0, -4.6, -0.5, 0.0, 2.0, 7.5, 40.0)


def probabilities(logit, tau):
    """Return p and 1 - p, neither of which is a difference."""
    power = (Decimal(logit) / Decimal(tau)).exp()
    return power / (1 + power), 1 / (1 + power)


def reference_entropy(logit, tau):
    return -sum(p * p.ln() for p in probabilities(logit, tau))


def reference_kd(student, teacher, tau):
    pairs = zip(probabilities(teacher, tau), probabilities(student, tau), strict=True)
    return Decimal(tau) ** 2 * sum(p * (p.ln() - q.ln()) for p, q in pairs)


def reference_weight(student, teacher, tau):
    return reference_entropy(teacher, tau) / 2 * (1 + reference_entropy(student, tau) / Decimal(2).ln())


def table(function, tau):
    with localcontext() as context:
        context.prec = 60
        return torch.tensor([[float(function(s, t, tau)) for t in LOGITS] for s in LOGITS], dtype=torch.float64)


def grid(dtype):
    values = torch.tensor(LOGITS, dtype=dtype)
    return values.unsqueeze(1).expand(8, 8), values.expand(8, 8)


@pytest.mark.parametrize(('dtype', 'rtol'), [(torch.float64, 1e-10), (torch.float32, 2e-5)])
@pytest.mark.parametrize('tau', [1.0, 2.0, 0.5])
def test_equals_the_reference_at_extremes_as_well(dtype, rtol, tau):
    student, teacher = grid(dtype)
    close = dict(rtol=rtol, atol=1e-6 if dtype == torch.float32 else 1e-13)
    torch.testing.assert_close(binary_kd_divergence(student, teacher, tau).double(), table(reference_kd, tau), **close)
    torch.testing.assert_close(binary_ea_weight(student, teacher, tau).double(), table(reference_weight, tau), **close)


def test_hand_values():
    half = torch.tensor([[0.0]])
    torch.testing.assert_close(binary_entropy(half), torch.tensor([[math.log(2)]]))
    torch.testing.assert_close(binary_ea_weight(half, half), torch.tensor([[math.log(2)]]))
    three_quarters = torch.tensor([[math.log(3)]])
    expected = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    torch.testing.assert_close(binary_kd_divergence(half, three_quarters), torch.tensor([[expected]]))


@pytest.mark.parametrize('tau', [0.5, 1.0, 3.0])
def test_each_score_is_a_softmax_over_two(tau):
    student, teacher = 4 * torch.randn(2, 6, 5, dtype=torch.float64)
    pairs = binary_pairs(student), binary_pairs(teacher)
    torch.testing.assert_close(binary_entropy(student, tau), entropy(pairs[0], tau).view(6, 5))
    torch.testing.assert_close(binary_kd_divergence(student, teacher, tau), kd_divergence(*pairs, tau).view(6, 5))
    for mode in EA_MODES:
        expected = ea_weight(*pairs, tau, mode, h_ub=2.0).view(6, 5)
        torch.testing.assert_close(binary_ea_weight(student, teacher, tau, mode, h_ub=2.0), expected)


def test_gradient():
    student, teacher = 3 * torch.randn(2, 4, 3, dtype=torch.float64)
    student.requires_grad_()
    teacher.requires_grad_()
    assert torch.autograd.gradcheck(lambda s: binary_kd_divergence(s, teacher.detach(), 2.0), student)
    binary_kd_divergence(student, teacher, 2.0).sum().backward()
    torch.testing.assert_close(student.grad, 2 * ((student / 2).sigmoid() - (teacher / 2).sigmoid()))
    assert teacher.grad is None
    assert not binary_ea_weight(student, teacher).requires_grad


def test_gradient_is_finite_at_extremes():
    student = torch.tensor([[1e4, -1e4, 1e4, 0.0]], requires_grad=True)
    loss = binary_kd_divergence(student, torch.tensor([[-1e4, 1e4, 1e4, 1e4]]))
    torch.testing.assert_close(loss, torch.tensor([[1e4, 1e4, 0.0, math.log(2)]]))
    loss.sum().backward()
    torch.testing.assert_close(student.grad, torch.tensor([[1.0, -1.0, 0.0, -0.5]]))


def test_confident_scores_keep_their_digits():
    tiny = 31 * math.exp(-30)  # h(z) = (1 + z) exp(-z) to first order
    values = binary_entropy(torch.tensor([[30.0, -30.0, 1000.0, -1000.0]]))
    torch.testing.assert_close(values, torch.tensor([[tiny, tiny, 0, 0]]), rtol=1e-5, atol=0)


@pytest.mark.parametrize('beta', [1.0, 2.0])
def test_focal_divergence(beta):
    student, teacher = 3 * torch.randn(2, 4, 3, dtype=torch.float64)
    student.requires_grad_()
    assert torch.autograd.gradcheck(lambda s: binary_focal_divergence(s, teacher, 2.0, beta), student)
    q, p = (student / 2).sigmoid(), (teacher / 2).sigmoid()
    expected = 4 * (p - q).abs() ** beta * -(p * q.log() + (1 - p) * (1 - q).log())
    torch.testing.assert_close(binary_focal_divergence(student, teacher, 2.0, beta), expected)


def test_focal_divergence_at_extremes_and_at_equal_scores():
    student = torch.tensor([[1e4, -1e4, 1e4, 0.0, 2.0]], requires_grad=True)
    loss = binary_focal_divergence(student, torch.tensor([[-1e4, 1e4, 1e4, 1e4, 2.0]]))
    torch.testing.assert_close(loss, torch.tensor([[1e4, 1e4, 0.0, math.log(2) / 2, 0.0]]))
    loss.sum().backward()
    torch.testing.assert_close(student.grad, torch.tensor([[1.0, -1.0, 0.0, -(1 + math.log(2)) / 4, 0.0]]))


def test_half_precision_and_no_sites():
    student, teacher = torch.randn(2, 3, 4).bfloat16()
    assert binary_kd_divergence(student, teacher).dtype == torch.float32
    assert binary_ea_weight(student[:0], teacher[:0]).shape == (0, 4)
    assert binary_kd_divergence(student[:, :1], teacher[:, :1]).shape == (3, 1)
    with pytest.raises(ConfigError, match='expected the same sites and classes'):
        binary_kd_divergence(student, teacher[:, :2])
