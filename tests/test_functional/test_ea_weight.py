from __future__ import annotations

import math

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.functional import ea_weight, entropy
from tests import golden


@golden.cases('ea_weight')
def test_golden(case, dtype):
    student, teacher = golden.logits(case, dtype)
    tau = case['params']['T_prime']
    golden.check_present(
        case['expected'],
        dtype,
        H_teacher=ea_weight(student, teacher, tau, 'teacher'),
        H_student=ea_weight(student, teacher, tau, 'student'),
        w_base=ea_weight(student, teacher, tau, 'base'),
        w_interact=ea_weight(student, teacher, tau, 'interact'),
        w_ea=ea_weight(student, teacher, tau),
        w_mean=ea_weight(student, teacher, tau).mean(),
    )
    assert case['expected']['H_ub'] == pytest.approx(math.log(student.shape[1]))


@golden.cases('ea_weight')
@pytest.mark.parametrize(
    ('mode', 'plain'),
    [('inverse-teacher', 'H_teacher'), ('inverse-student', 'H_student'), ('inverse-ea', 'w_ea')],
)
def test_inverse_is_what_table_1_prints(case, dtype, mode, plain):
    student, teacher = golden.logits(case, dtype)
    expected = case['expected']['H_ub'] - torch.tensor(case['expected'].get(plain, []), dtype=torch.float64)
    actual = ea_weight(student, teacher, case['params']['T_prime'], mode)
    # The golden file rounds to nine digits, and here they are subtracted.
    torch.testing.assert_close(actual.double(), expected, rtol=0, atol=1e-8 if dtype == torch.float64 else 1e-6)


@golden.cases('ea_weight', official='KD.py_as_shipped_H_ub_100')
def test_bound_of_the_published_cifar_code(case, dtype):
    student, teacher = golden.logits(case, dtype)
    actual = ea_weight(student, teacher, case['params']['T_prime'], h_ub=100)
    expected = torch.tensor(case['official_code']['KD.py_as_shipped_H_ub_100'], dtype=dtype)
    # Their logarithm has an epsilon, which makes a weight of 0 a weight of -1e-10.
    torch.testing.assert_close(actual, expected, rtol=1e-6 if dtype == torch.float64 else 1e-4, atol=2e-8)


@pytest.mark.parametrize('h_ub', [None, 1.0, 100.0])
@pytest.mark.parametrize('mode', ['teacher', 'student', 'ea'])
def test_inverse_has_the_same_range_and_the_opposite_order(mode, h_ub):
    student, teacher = 5 * torch.randn(2, 100, 81, dtype=torch.float64)
    student[:2], teacher[:2] = 0.0, 0.0
    student[1, 0] = teacher[1, 0] = 1000.0
    plain = ea_weight(student, teacher, 1.0, mode, h_ub)
    inverse = ea_weight(student, teacher, 1.0, f'inverse-{mode}', h_ub)
    assert torch.equal(plain.argsort(), inverse.argsort(descending=True))
    assert (inverse >= 0).all()
    largest, least = plain[0], plain[1]
    assert least == 0
    torch.testing.assert_close(inverse, largest - plain)


@pytest.mark.parametrize(('old', 'new'), [('base', 'teacher'), ('inverse', 'inverse-ea')])
def test_former_names(old, new):
    student, teacher = torch.randn(2, 6, 5)
    assert torch.equal(ea_weight(student, teacher, 2.0, old, 3.0), ea_weight(student, teacher, 2.0, new, 3.0))


def test_extremes():
    sure, unsure = [1000.0, 0.0, 0.0, 0.0], [3.0] * 4
    student, teacher = torch.tensor([sure, sure, unsure, unsure]), torch.tensor([sure, unsure, sure, unsure])
    log_c = math.log(4)
    torch.testing.assert_close(ea_weight(student, teacher), torch.tensor([0.0, log_c / 2, 0.0, log_c]))
    inverse = {mode: ea_weight(student, teacher, mode=f'inverse-{mode}') for mode in ('ea', 'teacher', 'student')}
    torch.testing.assert_close(inverse['ea'], torch.tensor([log_c, log_c / 2, log_c, 0.0]))
    torch.testing.assert_close(inverse['teacher'], torch.tensor([log_c, 0.0, log_c, 0.0]))
    torch.testing.assert_close(inverse['student'], torch.tensor([log_c, log_c, 0.0, 0.0]))


@pytest.mark.parametrize('mode', ['inverse-ea', 'inverse-teacher', 'inverse-student'])
def test_inverse_is_not_negative_by_rounding(mode):
    for classes in range(2, 400):
        assert ea_weight(*torch.full((2, 1, classes), 0.1), mode=mode) >= 0, classes


def test_no_gradient_reaches_either_side():
    student, teacher = torch.randn(2, 3, 4, requires_grad=True)
    assert not ea_weight(student, teacher).requires_grad


def test_entropy_of_one_side_alone():
    student, teacher = torch.randn(2, 6, 5)
    torch.testing.assert_close(ea_weight(student, teacher, 2.0, 'teacher'), entropy(teacher, 2.0))
    torch.testing.assert_close(ea_weight(student, teacher, 2.0, 'student'), entropy(student, 2.0))


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(mode='Base'), "mode: expected one of ea, teacher, .*, but got 'Base'"),
        (dict(tau=0.0), 'tau: expected a finite number > 0, but got 0.0'),
        (dict(h_ub=-1), 'h_ub: expected a number > 0, but got -1'),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ConfigError, match=message):
        ea_weight(torch.zeros(2, 3), torch.zeros(2, 3), **kwargs)
