from __future__ import annotations

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.functional import hcl_divergence
from tests import golden


def _levels(case, dtype):
    # The file says 'same as reviewkd_hcl/three_levels' or describes a constant map in words.
    if case['case'] == 'constant_plusminus50':
        return [[torch.full((1, 1, 8, 8), sign * 50.0, dtype=dtype)] for sign in (1, -1)]
    entry = next(e for e in golden.entries() if (e['method'], e['case']) == ('reviewkd_hcl', 'three_levels'))
    return [
        [torch.tensor(level, dtype=dtype) for level in entry[key]] for key in ('student_features', 'teacher_features')
    ]


@golden.cases('reviewkd_hcl', 'ea_reviewkd_hcl')
def test_golden(case, dtype):
    student, teacher = _levels(case, dtype)
    images = len(student[0])
    weights = torch.tensor(case['params'].get('w_per_image', [1.0] * images), dtype=dtype)
    pools = case['params']['pool_sizes']
    levels = torch.stack(
        [(weights * hcl_divergence(s, t, pools)).mean() for s, t in zip(student, teacher, strict=True)]
    )
    golden.check_present(case['expected'], dtype, per_level=levels, loss=levels.sum())


@pytest.mark.parametrize('height', [1, 2, 3, 5, 9])
def test_equals_pooling_both_sides(height):
    from torch.nn.functional import adaptive_avg_pool2d, mse_loss

    student, teacher = torch.randn(2, 1, 3, height, 6)
    used = [size for size in (4, 2, 1) if size < height]
    pairs = [(student, teacher), *((adaptive_avg_pool2d(student, k), adaptive_avg_pool2d(teacher, k)) for k in used)]
    weights = [0.5**k for k in range(len(pairs))]
    expected = sum(w * mse_loss(*pair) for w, pair in zip(weights, pairs, strict=True)) / sum(weights)
    torch.testing.assert_close(hcl_divergence(student, teacher), expected[None])


def test_gradcheck_and_teacher_without_gradient():
    student, teacher = (torch.randn(2, 2, 5, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda s: hcl_divergence(s, teacher), student)
    hcl_divergence(student, teacher).sum().backward()
    assert teacher.grad is None


def test_half_precision():
    half = torch.full((2, 3, 4, 4), 300.0, dtype=torch.float16)
    torch.testing.assert_close(hcl_divergence(half, -half), torch.full((2,), 360000.0))


def test_maps_that_do_not_fit():
    with pytest.raises(ConfigError, match=r'same shape \(N, D, H, W\), but got \(1, 2, 4, 4\) and \(1, 3, 4, 4\)'):
        hcl_divergence(torch.zeros(1, 2, 4, 4), torch.zeros(1, 3, 4, 4))
