from __future__ import annotations

from eakd_det.losses import RKLDLoss
from tests import golden


@golden.cases('rkld')
def test_golden(case, dtype):
    loss = RKLDLoss(case['params'].get('T', 1.0))
    golden.check(loss(*golden.logits(case, dtype)), case['expected']['loss_mean'], dtype)
