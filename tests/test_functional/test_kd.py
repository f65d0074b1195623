from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import special

from eakd_det.errors import ConfigError
from eakd_det.functional import ea_weight, kd_divergence, rkld_divergence
from tests import golden


@golden.cases('kd')
def test_golden(case, dtype):
    student, teacher = golden.logits(case, dtype)
    per_sample = kd_divergence(student, teacher, case['params'].get('T', 1.0))
    mean = per_sample.sum() / max(len(per_sample), 1)
    actual = dict(per_sample=per_sample, loss_mean=mean, loss_sum=per_sample.sum())
    (actual['grad_student_logits_of_mean'],) = torch.autograd.grad(mean, student)
    golden.check_present(case['expected'], dtype, **actual)


@golden.cases('ea_kd')
def test_golden_with_entropy_weights(case, dtype):
    student, teacher = golden.logits(case, dtype)
    params = case['params']
    weights = ea_weight(student, teacher, params.get('T_prime', 3.0))
    per_sample = weights * kd_divergence(student, teacher, params.get('T', 1.0))
    mean = per_sample.sum() / max(len(per_sample), 1)
    actual = dict(per_sample=per_sample, loss_mean=mean, loss_sum_eq14=per_sample.sum())
    (actual['grad_student_logits_w_detached'],) = torch.autograd.grad(mean, student)
    golden.check_present(case['expected'], dtype, **actual)
    forbidden = case['expected'].get('NEGATIVE_grad_if_w_not_detached')
    if forbidden and torch.tensor(forbidden).abs().max() > 1e-3:
        distance = actual['grad_student_logits_w_detached'] - torch.tensor(forbidden, dtype=dtype)
        assert distance.abs().max() > 1e-5


@golden.cases('er_kd_detection_v1')
def test_golden_of_the_first_version(case, dtype):
    student, teacher = golden.logits(case, dtype)
    params = case['params']
    weights = ea_weight(student, teacher, params['T_prime'], mode='teacher')
    per_sample = weights * kd_divergence(student, teacher, params['T'])
    golden.check_present(case['expected'], dtype, per_sample=per_sample, loss_mean=per_sample.mean())


@pytest.mark.parametrize('tau', [0.5, 1.0, 4.0])
def test_equals_scipy(tau):
    student, teacher = np.random.default_rng(1).normal(scale=4, size=(2, 50, 81))
    p, q = special.softmax(teacher / tau, axis=1), special.softmax(student / tau, axis=1)
    expected = tau**2 * special.rel_entr(p, q).sum(axis=1)
    actual = kd_divergence(torch.from_numpy(student), torch.from_numpy(teacher), tau)
    np.testing.assert_allclose(actual.numpy(), expected, rtol=1e-10)


def test_not_negative_and_zero_for_equal_predictions():
    logits = 10 * torch.randn(200, 81)
    shifted = logits + torch.randn(200, 1)
    assert kd_divergence(logits, logits).abs().max() == 0
    assert kd_divergence(shifted, logits).abs().max() < 1e-5
    assert (kd_divergence(torch.randn(200, 81), logits) > 0).all()


def test_temperature_as_a_tensor():
    student, teacher = torch.randn(2, 6, 5, dtype=torch.float64)
    taus = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], dtype=torch.float64, requires_grad=True)
    expected = torch.cat([kd_divergence(student[i : i + 1], teacher[i : i + 1], float(taus[i])) for i in range(6)])
    torch.testing.assert_close(kd_divergence(student, teacher, taus), expected)
    scalar = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(kd_divergence(student, teacher, scalar), kd_divergence(student, teacher, 2.0))
    assert torch.autograd.gradcheck(lambda t: kd_divergence(student, teacher, t), taus)
    assert torch.autograd.gradcheck(lambda t: kd_divergence(student, teacher, t), scalar)


def test_wrong_number_of_temperatures():
    with pytest.raises(ConfigError, match='one temperature or one for each of 3 sites'):
        kd_divergence(torch.zeros(3, 4), torch.zeros(3, 4), torch.ones(2))


@golden.cases('rkld')
def test_golden_reverse(case, dtype):
    student, teacher = golden.logits(case, dtype)
    per_sample = rkld_divergence(student, teacher, case['params'].get('T', 1.0))
    mean = per_sample.sum() / max(len(per_sample), 1)
    golden.check_present(case['expected'], dtype, per_sample=per_sample, loss_mean=mean)


@pytest.mark.parametrize('tau', [1.0, 2.0])
def test_reverse_equals_scipy(tau):
    student, teacher = np.random.default_rng(3).normal(scale=4, size=(2, 30, 81))
    p, q = special.softmax(teacher / tau, axis=1), special.softmax(student / tau, axis=1)
    actual = rkld_divergence(torch.from_numpy(student), torch.from_numpy(teacher), tau)
    np.testing.assert_allclose(actual.numpy(), special.rel_entr(q, p).sum(axis=1), rtol=1e-9)


def test_reverse_is_kd_with_the_roles_swapped():
    student, teacher = torch.randn(2, 10, 5)
    torch.testing.assert_close(rkld_divergence(student, teacher), kd_divergence(teacher, student))
