from __future__ import annotations

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.functional import (
    curriculum_weight,
    entropy_temperature,
    hard_rows,
    kd_divergence,
    normalized_entropy,
)
from tests import golden


@golden.cases('egad_design_OURS')
def test_golden(case, dtype):
    student, teacher = golden.logits(case, dtype)
    params = case['params']
    h = normalized_entropy(teacher, params['entropy_T'])
    weights = curriculum_weight(teacher, params['progress'], params['entropy_T'])
    taus = {
        up: entropy_temperature(teacher, params['tau_min'], params['tau_max'], up, params['entropy_T'])
        for up in (True, False)
    }
    golden.check_present(
        case['expected'],
        dtype,
        h=h,
        tau_if_increasing_in_h=taus[True],
        tau_if_decreasing_in_h=taus[False],
        curriculum_weight=weights,
        loss_mean_tau_increasing=(weights * kd_divergence(student, teacher, taus[True])).mean(),
        loss_mean_tau_decreasing=(weights * kd_divergence(student, teacher, taus[False])).mean(),
    )
    hard = [float(value) for value in case['expected']['hard_mask_h_gt_threshold']]
    golden.check(hard_rows(teacher, params['branch_threshold']), hard, dtype)


def test_never_above_one():
    for classes in range(2, 200):
        assert normalized_entropy(torch.full((1, classes), 0.1)) <= 1, classes


def test_quantile_takes_a_share_of_the_batch():
    logits = 3 * torch.randn(40, 11)
    hard = hard_rows(logits, quantile=0.75)
    assert hard.sum() == 10
    h = normalized_entropy(logits)
    assert h[hard > 0].min() > h[hard == 0].max()


def test_no_proposals():
    empty = torch.zeros(0, 4)
    for result in (hard_rows(empty, quantile=0.5), entropy_temperature(empty), curriculum_weight(empty, 0.5)):
        assert result.shape == (0,)


def test_bad_quantile():
    with pytest.raises(ConfigError, match=r'quantile: expected a number from 0 to 1, but got 2'):
        hard_rows(torch.zeros(2, 3), quantile=2)
