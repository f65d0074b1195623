from __future__ import annotations

from eakd_det.losses import TTMLoss
from tests import golden


@golden.cases('ttm')
def test_golden(case, dtype):
    student, teacher = golden.logits(case, dtype)
    golden.check(TTMLoss(case['params'].get('T', 2.0))(student, teacher), case['expected']['loss_mean'], dtype)


@golden.cases('wttm')
def test_golden_with_power_sums(case, dtype):
    tau = case['params'].get('T', 2.0)
    loss = TTMLoss(tau, weighting=dict(type='PowerSumWeighting', tau=tau))
    golden.check(loss(*golden.logits(case, dtype)), case['expected']['loss_mean'], dtype)


@golden.cases('ea_ttm')
def test_golden_with_entropy_weights(case, dtype):
    tau = 1 / case['params'].get('gamma', 0.5)
    loss = TTMLoss(tau, weighting=dict(type='EntropyWeighting', tau=case['params'].get('T_prime', 3.0)))
    golden.check(loss(*golden.logits(case, dtype)), case['expected']['loss_mean'], dtype)
