"""Logit standardisation as an option of the losses."""

from __future__ import annotations

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.losses import DKDLoss, KDLoss, LogitLoss
from tests import golden


@golden.cases('kd_ls')
def test_golden_kd(case, dtype):
    student, teacher = golden.logits(case, dtype)
    tau = case['params'].get('tau', 2.0)
    golden.check_present(
        case['expected'],
        dtype,
        loss_mean=KDLoss(tau, standardize=True)(student, teacher),
        loss_mean_population_std=KDLoss(tau, standardize='population')(student, teacher),
        loss_mean_sample_std=KDLoss(tau, standardize='sample')(student, teacher),
        loss_mean_sample_std_times_9=KDLoss(tau, standardize=True, loss_weight=9)(student, teacher),
    )


@golden.cases('ea_kd_ls')
def test_golden_ea_kd(case, dtype):
    student, teacher = golden.logits(case, dtype)
    params = case['params']
    loss = KDLoss(params['tau'], standardize=True, weighting=dict(type='EntropyWeighting', tau=params['T_prime']))
    golden.check(loss(student, teacher), case['expected']['loss_mean'], dtype)


def _dkd(case, **kwargs):
    params = case['params']
    weight = params.get('kd_weight', params.get('kd_weight_multiplies_both', 1.0))
    return DKDLoss(params.get('tau', 2.0), beta=params.get('beta', 1.0), loss_weight=weight, **kwargs)


@golden.cases('dkd_ls')
def test_golden_dkd(case, dtype):
    arguments = *golden.logits(case, dtype), golden.targets(case)
    golden.check_present(
        case['expected'],
        dtype,
        loss_mean=_dkd(case, standardize=True)(*arguments),
        loss_mean_population_std=_dkd(case, standardize='population')(*arguments),
        loss_mean_sample_std=_dkd(case, standardize=True)(*arguments),
    )


@golden.cases('ea_dkd_ls')
def test_golden_ea_dkd(case, dtype):
    arguments = *golden.logits(case, dtype), golden.targets(case)
    raw = dict(type='EntropyWeighting', tau=case['params']['T_prime'])
    golden.check_present(
        case['expected'],
        dtype,
        loss_mean_w_raw=_dkd(case, standardize=True, weighting=raw)(*arguments),
        loss_mean_w_standardised=_dkd(case, standardize=True, weighting=dict(raw, standardize=True))(*arguments),
    )


def test_constant_student_rows_train_without_explosion():
    student = torch.full((4, 81), 0.3, requires_grad=True)
    KDLoss(2.0, standardize=True)(student, torch.randn(4, 81)).backward()
    assert student.grad.abs().max() == 0


def test_unknown_standardize():
    with pytest.raises(ConfigError, match=r"KDLoss\.standardize: expected .*one of sample, population, but got 'z'"):
        KDLoss(standardize='z')


def test_base_has_no_divergence():
    with pytest.raises(NotImplementedError):
        LogitLoss()(torch.zeros(1, 2), torch.zeros(1, 2))
