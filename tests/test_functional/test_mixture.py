from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import spatial, special

from eakd_det.errors import ConfigError
from eakd_det.functional import entropy, jsd_divergence, kd_divergence, skld_divergence, srkld_divergence
from tests import golden


def _mean(per_sample):
    return per_sample.sum() / max(len(per_sample), 1)


@golden.cases('jsd', 'jsd_distillm_lam0.9')
def test_golden_jsd(case, dtype):
    student, teacher = golden.logits(case, dtype)
    params = case['params']
    per_sample = jsd_divergence(student, teacher, params.get('T', 1.0), params.get('teacher_mix', 0.5))
    golden.check_present(case['expected'], dtype, per_sample=per_sample, loss_mean=_mean(per_sample))


@golden.cases('skld')
def test_golden_skld(case, dtype):
    student, teacher = golden.logits(case, dtype)
    tau = case['params'].get('T', 1.0)
    per_sample = skld_divergence(student, teacher, tau, case['params'].get('alpha', 0.1))
    cross_entropy = _mean(per_sample + entropy(teacher, tau))
    golden.check_present(
        case['expected'],
        dtype,
        per_sample=per_sample,
        loss_mean=_mean(per_sample),
        cross_entropy_form_mean=cross_entropy,
    )


@golden.cases('srkld')
def test_golden_srkld(case, dtype):
    student, teacher = golden.logits(case, dtype)
    params = case['params']
    per_sample = srkld_divergence(student, teacher, params.get('T', 1.0), params.get('alpha', 0.1))
    golden.check_present(case['expected'], dtype, per_sample=per_sample, loss_mean=_mean(per_sample))


def test_jsd_equals_scipy():
    student, teacher = np.random.default_rng(4).normal(scale=4, size=(2, 30, 81))
    distance = spatial.distance.jensenshannon(
        special.softmax(student, axis=1), special.softmax(teacher, axis=1), axis=1
    )
    actual = jsd_divergence(torch.from_numpy(student), torch.from_numpy(teacher))
    np.testing.assert_allclose(actual.numpy(), distance**2, rtol=1e-9)


@pytest.mark.parametrize('alpha', [0.1, 0.7])
def test_skewed_equal_scipy(alpha):
    student, teacher = np.random.default_rng(5).normal(scale=4, size=(2, 30, 81))
    p, q = special.softmax(teacher, axis=1), special.softmax(student, axis=1)
    tensors = torch.from_numpy(student), torch.from_numpy(teacher)
    forward, reverse = skld_divergence(*tensors, 1.0, alpha), srkld_divergence(*tensors, 1.0, alpha)
    np.testing.assert_allclose(forward.numpy(), special.rel_entr(p, alpha * p + (1 - alpha) * q).sum(1), rtol=1e-8)
    np.testing.assert_allclose(reverse.numpy(), special.rel_entr(q, alpha * q + (1 - alpha) * p).sum(1), rtol=1e-8)


def test_jsd_is_symmetric():
    student, teacher = 5 * torch.randn(2, 20, 11)
    torch.testing.assert_close(jsd_divergence(student, teacher), jsd_divergence(teacher, student))
    skewed = jsd_divergence(student, teacher, teacher_share=0.1)
    torch.testing.assert_close(skewed, jsd_divergence(teacher, student, teacher_share=0.9))


def test_bounds():
    student, teacher = 300 * torch.randn(2, 500, 11)
    for divergence, bound in (
        (jsd_divergence(student, teacher), math.log(2)),
        (skld_divergence(student, teacher), math.log(10)),
        (srkld_divergence(student, teacher, alpha=0.2), math.log(5)),
    ):
        assert (divergence >= 0).all()
        assert (divergence <= bound + 1e-5).all()


def test_a_small_skew_is_kd():
    student, teacher = torch.randn(2, 20, 11, dtype=torch.float64)
    torch.testing.assert_close(
        skld_divergence(student, teacher, alpha=1e-9), kd_divergence(student, teacher), rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize('share', [0, 1, -0.1, True, float('nan')])
def test_bad_shares(share):
    logits = torch.zeros(2, 3)
    message = 'expected a number above 0 and below 1'
    with pytest.raises(ConfigError, match=f'alpha: {message}'):
        skld_divergence(logits, logits, alpha=share)
    with pytest.raises(ConfigError, match=f'alpha: {message}'):
        srkld_divergence(logits, logits, alpha=share)
    with pytest.raises(ConfigError, match=f'teacher_share: {message}'):
        jsd_divergence(logits, logits, teacher_share=share)
