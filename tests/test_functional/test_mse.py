from __future__ import annotations

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.functional import ea_weight, kd_divergence, mse_divergence
from tests import golden


@golden.cases('fcfd_roi')
def test_golden_cross_head_paths(case, dtype):
    student, teacher = golden.logits(case, dtype)
    weights = ea_weight(student, teacher, case['params']['T_prime'])
    for path, logits in (('s', student), ('st', case['st_logits']), ('ts', case['ts_logits'])):
        kd = kd_divergence(torch.as_tensor(logits, dtype=dtype), teacher, case['params']['T'])
        actual = dict(roi_kd=kd.mean(), ea_roi_kd=(weights * kd).mean())
        if 'bbox_teacher' in case:
            boxes = mse_divergence(
                torch.tensor(case[f'bbox_{path}'], dtype=dtype), torch.tensor(case['bbox_teacher'], dtype=dtype)
            )
            actual.update(roi_l2=boxes.mean(), ea_roi_l2=(weights * boxes).mean())
        golden.check_present(case['expected'][path], dtype, **actual)


@golden.cases('pad_l2')
def test_golden_plain(case, dtype):
    student, teacher = (torch.tensor(case[key], dtype=dtype) for key in ('student_embed', 'teacher_embed'))
    golden.check(mse_divergence(student, teacher).mean(), 0.255, dtype)


def test_equals_torch():
    student, teacher = torch.randn(2, 10, 7)
    torch.testing.assert_close(mse_divergence(student, teacher).mean(), torch.nn.functional.mse_loss(student, teacher))


def test_gradcheck_and_teacher_without_gradient():
    student, teacher = (torch.randn(3, 4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda s: mse_divergence(s, teacher), student)
    mse_divergence(student, teacher).sum().backward()
    assert teacher.grad is None


def test_half_precision_and_no_proposals():
    half = torch.full((2, 4), 300.0, dtype=torch.float16)
    torch.testing.assert_close(mse_divergence(half, -half), torch.full((2,), 360000.0))
    assert mse_divergence(torch.zeros(0, 4), torch.zeros(0, 4)).shape == (0,)


@pytest.mark.parametrize(
    ('student', 'teacher', 'message'),
    [
        (torch.zeros(2, 4), torch.zeros(2, 5), r'same shape \(R, D\), but got \(2, 4\) and \(2, 5\)'),
        (torch.zeros(4), torch.zeros(4), r'same shape \(R, D\)'),
        (torch.zeros(2, 4), torch.zeros(2, 4, dtype=torch.int64), 'expected floating point features'),
        (torch.zeros(2, 4), torch.zeros(2, 4, device='meta'), 'expected one device, but got cpu and meta'),
    ],
)
def test_vectors_that_do_not_fit(student, teacher, message):
    with pytest.raises(ConfigError, match=message):
        mse_divergence(student, teacher)
