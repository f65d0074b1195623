from __future__ import annotations

import pytest

from eakd_det.errors import ConfigError
from eakd_det.losses import JSDLoss, SKLDLoss, SRKLDLoss
from tests import golden


@golden.cases('jsd', 'jsd_distillm_lam0.9')
def test_golden_jsd(case, dtype):
    loss = JSDLoss(case['params'].get('T', 1.0), case['params'].get('teacher_mix', 0.5))
    golden.check(loss(*golden.logits(case, dtype)), case['expected']['loss_mean'], dtype)


@golden.cases('skld')
def test_golden_forward(case, dtype):
    loss = SKLDLoss(case['params'].get('T', 1.0), case['params'].get('alpha', 0.1))
    golden.check(loss(*golden.logits(case, dtype)), case['expected']['loss_mean'], dtype)


@golden.cases('srkld')
def test_golden_reverse(case, dtype):
    loss = SRKLDLoss(case['params'].get('T', 1.0), case['params'].get('alpha', 0.1))
    golden.check(loss(*golden.logits(case, dtype)), case['expected']['loss_mean'], dtype)


@pytest.mark.parametrize(
    ('loss', 'argument'), [(JSDLoss, dict(teacher_share=1)), (SKLDLoss, dict(alpha=0)), (SRKLDLoss, dict(alpha=0))]
)
def test_weight_of_a_mixture_is_between_0_and_1(loss, argument):
    with pytest.raises(ConfigError, match=rf'{loss.__name__}\.{next(iter(argument))}: expected a number above 0'):
        loss(**argument)
