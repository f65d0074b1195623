from __future__ import annotations

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.functional import mse_divergence, pad_divergence
from tests import golden


@golden.cases('pad_l2')
def test_golden(case, dtype):
    student, teacher, log_variance = (
        torch.tensor(case[key], dtype=dtype) for key in ('student_embed', 'teacher_embed', 'log_var')
    )
    eps = case['params'].get('eps', 1e-6)
    golden.check_present(
        case['expected'],
        dtype,
        loss=pad_divergence(student, teacher, log_variance, eps).mean(),
        plain_mse=mse_divergence(student, teacher).mean(),
        precision=1 / (eps + log_variance.exp()),
    )


def test_equals_torch():
    student, teacher, log_variance = torch.randn(3, 10, 7, dtype=torch.float64)
    expected = 2 * torch.nn.functional.gaussian_nll_loss(student, teacher, log_variance.exp(), eps=1e-12)
    torch.testing.assert_close(pad_divergence(student, teacher, log_variance, eps=0.0).mean(), expected)


def test_gradcheck():
    student, teacher, log_variance = torch.randn(3, 3, 4, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda s, v: pad_divergence(s, teacher, v), (student.requires_grad_(), log_variance.requires_grad_())
    )


def test_bound_of_the_log_variance():
    student, teacher = torch.randn(2, 3, 4)
    tiny = torch.full((3, 4), -80.0)
    bounded = pad_divergence(student, teacher, tiny, min_log_variance=-2.0)
    torch.testing.assert_close(bounded, pad_divergence(student, teacher, torch.full((3, 4), -2.0)))
    same = pad_divergence(student, student, tiny)
    torch.testing.assert_close(same, torch.full((3,), -80.0))


def test_extremes_and_autocast():
    student, teacher = torch.tensor([[1000.0, -1000.0]]), torch.tensor([[-1000.0, 0.0]])
    log_variance = torch.tensor([[1000.0, -1000.0]])
    with torch.autocast('cpu', dtype=torch.bfloat16):
        result = pad_divergence(student.bfloat16(), teacher, log_variance.bfloat16())
    assert result.dtype == torch.float32
    assert result.isfinite().all()


def test_log_variance_that_does_not_fit():
    with pytest.raises(ConfigError, match=r'same shape \(R, D\)'):
        pad_divergence(torch.zeros(2, 3), torch.zeros(2, 3), torch.zeros(2, 1))
