from __future__ import annotations

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.losses import DKDLoss
from tests import golden


def _loss(case, **kwargs):
    params = case['params']
    return DKDLoss(params.get('T', 1.0), params.get('alpha', 1.0), params.get('beta', 0.25), **kwargs)


@golden.cases('dkd')
def test_golden(case, dtype):
    student, teacher = golden.logits(case, dtype)
    golden.check(_loss(case)(student, teacher, golden.targets(case)), case['expected']['loss_mean'], dtype)


@golden.cases('ea_dkd')
def test_golden_with_entropy_weights(case, dtype):
    student, teacher = golden.logits(case, dtype)
    weighting = dict(type='EntropyWeighting', tau=case['params'].get('T_prime', 3.0))
    loss = _loss(case, weighting=weighting)(student, teacher, golden.targets(case))
    golden.check(loss, case['expected']['loss_mean'], dtype)


@golden.cases('ea_dkd', official='loss_as_shipped_H_ub_100')
def test_bound_of_the_published_cifar_code(case, dtype):
    student, teacher = golden.logits(case, dtype)
    weighting = dict(type='EntropyWeighting', h_ub=100)
    loss = _loss(case, weighting=weighting)(student, teacher, golden.targets(case))
    expected = torch.tensor(case['official_code']['loss_as_shipped_H_ub_100'], dtype=dtype)
    # Their epsilon makes the weight of a sure prediction -1e-10, times a divergence of up to 1,000.
    torch.testing.assert_close(loss, expected, rtol=1e-6 if dtype == torch.float64 else 1e-4, atol=4e-7)


def test_equals_mmrazor_where_that_is_right():
    from mmrazor.models.losses import DKDLoss as MMRazorDKDLoss

    student, teacher = torch.randn(2, 50, 11)
    labels = torch.randint(11, (50,))
    expected = MMRazorDKDLoss(tau=2.0, alpha=1.0, beta=0.5, reduction='batchmean')(student, teacher, labels)
    torch.testing.assert_close(DKDLoss(tau=2.0, beta=0.5)(student, teacher, labels), expected)


def test_needs_labels():
    with pytest.raises(ConfigError, match='DKDLoss: expected gt_labels'):
        DKDLoss()(torch.zeros(2, 3), torch.zeros(2, 3))
