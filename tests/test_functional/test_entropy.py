from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import special, stats

from eakd_det.errors import ConfigError
from eakd_det.functional import entropy
from tests import golden


@golden.cases('ea_weight')
def test_golden(case, dtype):
    student, teacher = golden.logits(case, dtype)
    tau = case['params']['T_prime']
    golden.check(entropy(teacher, tau), case['expected']['H_teacher'], dtype)
    golden.check(entropy(student, tau), case['expected']['H_student'], dtype)


@pytest.mark.parametrize('tau', [0.5, 1.0, 3.0])
def test_equals_scipy(tau):
    logits = np.random.default_rng(0).normal(scale=5, size=(50, 81))
    expected = stats.entropy(special.softmax(logits / tau, axis=1), axis=1)
    np.testing.assert_allclose(entropy(torch.from_numpy(logits), tau).numpy(), expected, rtol=1e-10)


def test_bounds():
    logits = torch.tensor([[7.0] * 81, [1000.0] + [-1000.0] * 80])
    torch.testing.assert_close(entropy(logits), torch.tensor([math.log(81), 0.0]))


def test_gradcheck():
    logits = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: entropy(z, 2.0), logits)


@pytest.mark.parametrize('shape', [(4,), (4, 1), (2, 3, 4)])
def test_wrong_shape(shape):
    with pytest.raises(ConfigError, match=r'expected logits of shape \(R, C\)'):
        entropy(torch.zeros(shape))


def test_integer_logits():
    with pytest.raises(ConfigError, match=r'floating point logits, but got torch\.int64'):
        entropy(torch.zeros(2, 3, dtype=torch.int64))


@pytest.mark.parametrize('tau', [0, -1.0, float('nan'), float('inf')])
def test_bad_tau(tau):
    with pytest.raises(ConfigError, match='tau: expected a finite number > 0'):
        entropy(torch.zeros(2, 3), tau)
