from __future__ import annotations

import pytest

from eakd_det.errors import ConfigError
from eakd_det.losses import SKLDLoss, SRKLDLoss
from tests import golden


@golden.cases('skld')
def test_golden_forward(case, dtype):
    loss = SKLDLoss(case['params'].get('T', 1.0), case['params'].get('alpha', 0.1))
    golden.check(loss(*golden.logits(case, dtype)), case['expected']['loss_mean'], dtype)


@golden.cases('srkld')
def test_golden_reverse(case, dtype):
    loss = SRKLDLoss(case['params'].get('T', 1.0), case['params'].get('alpha', 0.1))
    golden.check(loss(*golden.logits(case, dtype)), case['expected']['loss_mean'], dtype)


@pytest.mark.parametrize('loss', [SKLDLoss, SRKLDLoss])
def test_bad_alpha(loss):
    with pytest.raises(ConfigError, match=rf'{loss.__name__}\.alpha: expected a number above 0 and below 1, but got 0'):
        loss(alpha=0)
