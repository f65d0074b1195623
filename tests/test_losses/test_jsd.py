from __future__ import annotations

import pytest

from eakd_det.errors import ConfigError
from eakd_det.losses import JSDLoss
from tests import golden


@golden.cases('jsd', 'jsd_distillm_lam0.9')
def test_golden(case, dtype):
    loss = JSDLoss(case['params'].get('T', 1.0), case['params'].get('teacher_mix', 0.5))
    golden.check(loss(*golden.logits(case, dtype)), case['expected']['loss_mean'], dtype)


def test_bad_share():
    with pytest.raises(ConfigError, match=r'JSDLoss\.teacher_share: expected a number above 0 and below 1, but got 1'):
        JSDLoss(teacher_share=1)
