"""Contracts of every divergence of embeddings, ``(N, D)``, and of feature maps, ``(N, D, H, W)``."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from eakd_det import functional
from eakd_det.errors import ConfigError

VECTORS, MAPS = (7,), (3, 9, 5)


def scale_of(maps: Tensor) -> Tensor:
    """The scale of one box, of 12 cells, in each image."""
    one = functional.foreground_scale(torch.tensor([[8.0, 8.0, 24.0, 32.0]]), (72, 40), MAPS[1:])
    return one.expand(len(maps), *MAPS[1:])


DIVERGENCES = {
    'mse': (functional.mse_divergence, VECTORS),
    'pad': (lambda s, t: functional.pad_divergence(s, t, t.detach() / 2), VECTORS),
    'pad, learned': (lambda s, t: functional.pad_divergence(s, t, s / 2), VECTORS),
    'pad, bounded': (lambda s, t: functional.pad_divergence(s, t, s / 2, min_log_variance=-10.0), VECTORS),
    'hcl': (functional.hcl_divergence, MAPS),
    'pkd': (functional.pkd_divergence, MAPS),
    'fgd': (lambda s, t: torch.stack(functional.fgd_terms(s, t, scale_of(t))).sum(dim=0), MAPS),
    'hcl, not pooled': (lambda s, t: functional.hcl_divergence(s, t, ()), MAPS),
    'at': (functional.at_divergence, MAPS),
    'at, of degree 1': (lambda s, t: functional.at_divergence(s, t, 1.0), MAPS),
    'ofd': (functional.ofd_divergence, MAPS),
    'ofd, given margins': (lambda s, t: functional.ofd_divergence(s, t, torch.full((3,), -0.5)), MAPS),
    'rkd distances': (functional.rkd_distance_divergence, VECTORS),
    'rkd angles': (functional.rkd_angle_divergence, VECTORS),
    'nd': (lambda s, t: functional.nd_divergence(s, t, t.flip(1)), VECTORS),
    'crd': (lambda s, t: functional.crd_divergence(s, t, (t[:, 0] > t[:, 0].mean()).long()), VECTORS),
}
OF_THE_BATCH = ('pkd', 'ofd', 'rkd distances', 'rkd angles', 'crd')  # their rows depend on each other
ANY_WIDTH = ('at', 'at, of degree 1', 'rkd distances', 'rkd angles')
every_divergence = pytest.mark.parametrize(('divergence', 'shape'), DIVERGENCES.values(), ids=DIVERGENCES)


def _pair(rows: int, shape: tuple[int, ...], dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    student, teacher = torch.randn(2, rows, *shape, dtype=dtype)
    return student.requires_grad_(), teacher


@pytest.mark.parametrize('name', [name for name in DIVERGENCES if name != 'crd'])  # whose mean has no gradient
def test_gradcheck(name):
    divergence, shape = DIVERGENCES[name]
    student, teacher = _pair(3, shape, torch.float64)
    assert torch.autograd.gradcheck(lambda s: divergence(s, teacher), student)


@every_divergence
def test_no_gradient_reaches_the_teacher(divergence, shape):
    student, teacher = _pair(4, shape)
    teacher.requires_grad_()
    divergence(student, teacher).sum().backward()
    assert teacher.grad is None
    assert student.grad.abs().sum() > 0


@every_divergence
def test_the_same_inputs_give_the_same_values(divergence, shape):
    student, teacher = _pair(4, shape)
    assert torch.equal(divergence(student, teacher), divergence(student, teacher))


@pytest.mark.parametrize('name', ['mse', 'hcl', 'hcl, not pooled', 'fgd', 'at', 'ofd', 'rkd distances', 'rkd angles'])
def test_zero_at_equal_features_and_positive_elsewhere(name):
    divergence, shape = DIVERGENCES[name]
    student, teacher = _pair(4, shape)
    assert divergence(teacher, teacher).abs().max() == 0
    assert (divergence(student, teacher) > 0).all()


@every_divergence
def test_leaves_its_inputs_alone(divergence, shape):
    student, teacher = _pair(4, shape)
    before = student.detach().clone(), teacher.clone()
    divergence(student, teacher).sum().backward()
    assert all(map(torch.equal, (student, teacher), before))


@every_divergence
def test_permutation(divergence, shape):
    student, teacher = _pair(6, shape)
    order = torch.randperm(6)
    torch.testing.assert_close(divergence(student[order], teacher[order]), divergence(student, teacher)[order])


@pytest.mark.parametrize('name', [name for name in DIVERGENCES if name not in OF_THE_BATCH])
def test_a_row_is_not_changed_by_others(name):
    divergence, shape = DIVERGENCES[name]
    student, teacher = _pair(4, shape)
    torch.testing.assert_close(divergence(student, teacher)[1:2], divergence(student[1:2], teacher[1:2]))


@every_divergence
def test_no_rows(divergence, shape):
    student, teacher = _pair(0, shape)
    result = divergence(student, teacher)
    assert result.shape == (0,)
    result.sum().backward()
    assert student.grad.shape == (0, *shape)


@every_divergence
@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
def test_large_values(divergence, shape, dtype):
    has_variance = divergence not in (functional.mse_divergence, functional.hcl_divergence)
    largest = 150.0 if has_variance else 60000.0  # log-variances from -75 to 75
    student = torch.tensor([largest, -largest], dtype=dtype).reshape(2, *[1] * len(shape)).expand(2, *shape)
    student = student.clone().requires_grad_()
    result = divergence(student, -student.detach())
    assert result.dtype == torch.float32
    assert result.isfinite().all()
    (gradient,) = torch.autograd.grad(result.sum(), student)
    assert gradient.dtype == dtype
    if not (has_variance and dtype == torch.float16):  # the slope at a variance of e^-10 is beyond float16
        assert gradient.isfinite().all()


@every_divergence
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float(divergence, shape, dtype):
    student, teacher = (value.detach().to(dtype) for value in _pair(8, shape))
    result = divergence(student, teacher)
    assert result.dtype == torch.float32
    torch.testing.assert_close(divergence(student, teacher.float()), result)
    with torch.autocast('cpu', dtype=dtype):
        torch.testing.assert_close(divergence(student, teacher), result)


@every_divergence
def test_not_contiguous(divergence, shape):
    student, teacher = _pair(4, shape)
    strided = student.detach().transpose(0, -1).contiguous().transpose(0, -1)
    torch.testing.assert_close(divergence(strided, teacher), divergence(student, teacher))


@pytest.mark.parametrize('name', DIVERGENCES)
def test_shapes_that_differ(name):
    divergence, shape = DIVERGENCES[name]
    student, teacher = _pair(4, shape)
    for wrong in (teacher[:3], teacher[:, :-1], teacher.flatten(1)[:, :, None, None]):
        if name in ANY_WIDTH and len(wrong) == 4 and wrong.dim() == student.dim() and wrong.shape[2:] == shape[1:]:
            assert divergence(student, wrong).isfinite().all()
            continue
        with pytest.raises(ConfigError, match='of the same shape'):
            divergence(student, wrong)
