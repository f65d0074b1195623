from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import special

from eakd_det.functional import kd_divergence, rkld_divergence
from tests import golden


@golden.cases('rkld')
def test_golden(case, dtype):
    student, teacher = golden.logits(case, dtype)
    per_sample = rkld_divergence(student, teacher, case['params'].get('T', 1.0))
    mean = per_sample.sum() / max(len(per_sample), 1)
    golden.check_present(case['expected'], dtype, per_sample=per_sample, loss_mean=mean)


@pytest.mark.parametrize('tau', [1.0, 2.0])
def test_equals_scipy(tau):
    student, teacher = np.random.default_rng(3).normal(scale=4, size=(2, 30, 81))
    p, q = special.softmax(teacher / tau, axis=1), special.softmax(student / tau, axis=1)
    actual = rkld_divergence(torch.from_numpy(student), torch.from_numpy(teacher), tau)
    np.testing.assert_allclose(actual.numpy(), special.rel_entr(q, p).sum(axis=1), rtol=1e-9)


def test_is_kd_with_the_roles_swapped():
    student, teacher = torch.randn(2, 10, 5)
    torch.testing.assert_close(rkld_divergence(student, teacher), kd_divergence(teacher, student))
