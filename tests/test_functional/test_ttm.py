from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import special

from eakd_det.functional import ea_weight, entropy, kd_divergence, power_sum, ttm_divergence
from tests import golden


@golden.cases('ttm')
def test_golden(case, dtype):
    student, teacher = golden.logits(case, dtype)
    per_sample = ttm_divergence(student, teacher, case['params'].get('T', 2.0))
    mean = per_sample.sum() / max(len(per_sample), 1)
    golden.check_present(case['expected'], dtype, per_sample=per_sample, loss_mean=mean)


@golden.cases('wttm')
def test_golden_with_power_sums(case, dtype):
    student, teacher = golden.logits(case, dtype)
    tau = case['params'].get('T', 2.0)
    weights = power_sum(teacher, tau)
    per_sample = weights * ttm_divergence(student, teacher, tau)
    mean = per_sample.sum() / max(len(per_sample), 1)
    golden.check_present(case['expected'], dtype, per_sample=per_sample, loss_mean=mean, power_sum=weights)


@golden.cases('ea_ttm')
def test_golden_with_entropy_weights(case, dtype):
    student, teacher = golden.logits(case, dtype)
    weights = ea_weight(student, teacher, case['params'].get('T_prime', 3.0))
    per_sample = weights * ttm_divergence(student, teacher, 1 / case['params'].get('gamma', 0.5))
    mean = per_sample.sum() / max(len(per_sample), 1)
    golden.check_present(case['expected'], dtype, per_sample=per_sample, loss_mean=mean)


@pytest.mark.parametrize('tau', [1.25, 4.0])
def test_equals_kd_with_a_renyi_entropy(tau):
    # KL(p_T||q) = T KL(p_T||q_T) - (T-1) Renyi_{1/T}(q) + (T-1) H(p_T), from the paper.
    student, teacher = 3 * torch.randn(2, 20, 11, dtype=torch.float64)
    gamma = 1 / tau
    renyi = (gamma * student.log_softmax(dim=1)).logsumexp(dim=1) / (1 - gamma)
    expected = kd_divergence(student, teacher, tau) / tau + (tau - 1) * (entropy(teacher, tau) - renyi)
    torch.testing.assert_close(ttm_divergence(student, teacher, tau), expected)


@pytest.mark.parametrize('tau', [1.0, 1.25, 10.0])
def test_power_sum_equals_scipy(tau):
    logits = np.random.default_rng(0).normal(scale=5, size=(30, 81))
    expected = (special.softmax(logits, axis=1) ** (1 / tau)).sum(axis=1)
    np.testing.assert_allclose(power_sum(torch.from_numpy(logits), tau).numpy(), expected, rtol=1e-9)


def test_bounds_of_the_power_sum():
    logits = torch.tensor([[0.0] * 81, [1000.0] + [-1000.0] * 80], requires_grad=True)
    sums = power_sum(logits, 10.0)
    torch.testing.assert_close(sums, torch.tensor([81**0.9, 1.0]))
    assert not sums.requires_grad
