"""Contracts of every divergence of logits."""

from __future__ import annotations

import pytest
import torch

from eakd_det import functional
from eakd_det.errors import ConfigError

DIVERGENCES = {
    'kd': lambda s, t, y: functional.kd_divergence(s, t, 2.0),
    'dkd': lambda s, t, y: functional.dkd_divergence(s, t, y, 2.0),
    'ttm': lambda s, t, y: functional.ttm_divergence(s, t, 2.0),
    'rkld': lambda s, t, y: functional.rkld_divergence(s, t, 2.0),
    'jsd': lambda s, t, y: functional.jsd_divergence(s, t, 2.0),
    'jsd-skewed': lambda s, t, y: functional.jsd_divergence(s, t, 1.0, 0.1),
    'skld': lambda s, t, y: functional.skld_divergence(s, t),
    'srkld': lambda s, t, y: functional.srkld_divergence(s, t),
    'kd+ls': lambda s, t, y: functional.kd_divergence(functional.standardize(s), functional.standardize(t), 2.0),
}
ZERO_AT_EQUAL_LOGITS = {name: divergence for name, divergence in DIVERGENCES.items() if name != 'ttm'}
every_divergence = pytest.mark.parametrize('divergence', DIVERGENCES.values(), ids=DIVERGENCES)


def _proposals(rows: int, classes: int, dtype: torch.dtype = torch.float32, scale: float = 3.0):
    generator = torch.Generator().manual_seed(rows + classes)
    student, teacher = scale * torch.randn(2, rows, classes, generator=generator, dtype=dtype)
    return student.requires_grad_(), teacher, torch.randint(classes, (rows,), generator=generator)


@every_divergence
@pytest.mark.parametrize('classes', [2, 5])
def test_gradcheck(divergence, classes):
    student, teacher, labels = _proposals(4, classes, torch.float64)
    assert torch.autograd.gradcheck(lambda s: divergence(s, teacher, labels), student)


@every_divergence
def test_no_gradient_reaches_the_teacher(divergence):
    student, teacher, labels = _proposals(4, 5)
    teacher.requires_grad_()
    divergence(student, teacher, labels).sum().backward()
    assert teacher.grad is None
    assert student.grad.abs().sum() > 0


@every_divergence
def test_the_same_inputs_give_the_same_values(divergence):
    proposals = _proposals(16, 81)
    assert torch.equal(divergence(*proposals), divergence(*proposals))


@pytest.mark.parametrize('divergence', ZERO_AT_EQUAL_LOGITS.values(), ids=ZERO_AT_EQUAL_LOGITS)
def test_zero_at_equal_logits_and_positive_elsewhere(divergence):
    student, teacher, labels = _proposals(16, 81, torch.float64)
    torch.testing.assert_close(divergence(teacher, teacher, labels), torch.zeros(16, dtype=torch.float64))
    assert (divergence(student, teacher, labels) > 0).all()


@every_divergence
def test_leaves_its_inputs_alone(divergence):
    student, teacher, labels = _proposals(4, 5)
    before = student.detach().clone(), teacher.clone(), labels.clone()
    divergence(student, teacher, labels).sum().backward()
    assert all(map(torch.equal, (student, teacher, labels), before))


@every_divergence
def test_permutation_of_proposals(divergence):
    student, teacher, labels = _proposals(16, 81)
    order = torch.randperm(16)
    torch.testing.assert_close(
        divergence(student[order], teacher[order], labels[order]), divergence(student, teacher, labels)[order]
    )


@every_divergence
def test_shift_of_a_row(divergence):
    student, teacher, labels = _proposals(16, 81, torch.float64)
    shifted = divergence(student + torch.randn(16, 1), teacher + torch.randn(16, 1), labels)
    torch.testing.assert_close(shifted, divergence(student, teacher, labels))


@every_divergence
def test_no_proposals(divergence):
    student, teacher, labels = _proposals(0, 4)
    result = divergence(student, teacher, labels)
    assert result.shape == (0,)
    result.sum().backward()
    assert student.grad.shape == (0, 4)


@every_divergence
@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
def test_extreme_logits(divergence, dtype):
    extremes = torch.tensor([[1000.0, -1000, 0, 0], [-1000, 1000, 1000, 0], [1000] * 4, [-1000, -1000, -1000, 1000]])
    rows = [(s, t, y) for s in extremes for t in extremes for y in range(4)]
    student = torch.stack([s for s, _, _ in rows]).to(dtype).requires_grad_()
    teacher = torch.stack([t for _, t, _ in rows]).to(dtype)
    result = divergence(student, teacher, torch.tensor([y for _, _, y in rows]))
    assert result.dtype == torch.float32
    assert result.isfinite().all()
    result.sum().backward()
    assert student.grad.dtype == dtype
    assert student.grad.isfinite().all()


@every_divergence
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_autocast(divergence, dtype):
    student, teacher, labels = _proposals(32, 81)
    with torch.autocast('cpu', dtype=dtype):
        result = divergence(student, teacher, labels)
    assert result.dtype == torch.float32
    torch.testing.assert_close(result, divergence(student, teacher, labels))


@every_divergence
def test_teacher_in_half_precision(divergence):
    student, teacher, labels = _proposals(8, 5)
    half = teacher.bfloat16()
    torch.testing.assert_close(divergence(student, half, labels), divergence(student, half.float(), labels))


@every_divergence
def test_not_contiguous(divergence):
    student, teacher, labels = _proposals(8, 5)
    strided = student.detach().t().contiguous().t()
    torch.testing.assert_close(divergence(strided, teacher, labels), divergence(student, teacher, labels))


@every_divergence
def test_one_class_only(divergence):
    student, teacher, labels = _proposals(8, 5)
    same = torch.full_like(labels, 4)
    assert divergence(student, teacher, same).isfinite().all()


@every_divergence
@pytest.mark.parametrize(
    ('student', 'teacher', 'message'),
    [
        (torch.zeros(2, 4), torch.zeros(2, 5), r'same sites and classes, but got shapes \(2, 4\) and \(2, 5\)'),
        (torch.zeros(2, 4), torch.zeros(3, 4), r'same sites and classes, but got shapes \(2, 4\) and \(3, 4\)'),
        (torch.zeros(2, 1), torch.zeros(2, 1), r'expected logits of shape \(R, C\) with C >= 2'),
        (torch.zeros(2, 4), torch.zeros(2, 4, 1, 1), r'expected logits of shape \(R, C\)'),
        (torch.zeros(2, 4), torch.zeros(2, 4, dtype=torch.int64), r'expected floating point logits'),
        (torch.zeros(2, 4), torch.zeros(2, 4, device='meta'), 'expected one device, but got cpu and meta'),
    ],
)
def test_inputs_that_do_not_fit(divergence, student, teacher, message):
    with pytest.raises(ConfigError, match=message):
        divergence(student, teacher, torch.zeros(2, dtype=torch.int64))
