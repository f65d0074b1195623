from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from eakd_det.errors import ConfigError
from eakd_det.functional import dkd_divergence, ea_weight, kd_divergence, standardize
from tests import golden


@golden.cases('ls_zscore')
def test_golden(case, dtype):
    student, teacher = golden.logits(case, dtype)
    golden.check_present(
        case['expected'],
        dtype,
        student_population_std=standardize(student, 'population'),
        teacher_population_std=standardize(teacher, 'population'),
        student_sample_std=standardize(student),
        teacher_sample_std=standardize(teacher),
    )


@golden.cases('kd_ls')
def test_golden_kd(case, dtype):
    student, teacher = golden.logits(case, dtype)

    def loss(std):
        divergence = kd_divergence(standardize(student, std), standardize(teacher, std), case['params'].get('tau', 2.0))
        return divergence.sum() / max(len(divergence), 1)

    golden.check_present(
        case['expected'],
        dtype,
        student_sample_std=standardize(student),
        teacher_sample_std=standardize(teacher),
        loss_mean=loss('sample'),
        loss_mean_population_std=loss('population'),
        loss_mean_sample_std=loss('sample'),
        loss_mean_sample_std_times_9=9 * loss('sample'),
    )


@golden.cases('dkd_ls')
def test_golden_dkd(case, dtype):
    student, teacher = golden.logits(case, dtype)
    params = case['params']

    def loss(std):
        divergence = params.get('kd_weight_multiplies_both', 1.0) * dkd_divergence(
            standardize(student, std),
            standardize(teacher, std),
            golden.targets(case),
            params.get('tau', 2.0),
            beta=params.get('beta', 1.0),
        )
        return divergence.sum() / max(len(divergence), 1)

    golden.check_present(
        case['expected'],
        dtype,
        loss_mean=loss('sample'),
        loss_mean_population_std=loss('population'),
        loss_mean_sample_std=loss('sample'),
    )


@golden.cases('ea_dkd_ls')
def test_golden_weights_of_raw_and_of_standardised_logits(case, dtype):
    student, teacher = golden.logits(case, dtype)
    golden.check_present(
        case['expected'],
        dtype,
        w_from_raw_logits=ea_weight(student, teacher),
        w_from_standardised_logits=ea_weight(standardize(student), standardize(teacher)),
    )


@pytest.mark.parametrize(('std', 'ddof'), [('sample', 1), ('population', 0)])
def test_equals_scipy(std, ddof):
    logits = np.random.default_rng(0).normal(3, 5, size=(20, 81))
    expected = stats.zscore(logits, axis=1, ddof=ddof)
    np.testing.assert_allclose(standardize(torch.from_numpy(logits), std).numpy(), expected, rtol=1e-6)


def test_shift_and_scale_make_no_difference():
    logits = torch.randn(10, 7, dtype=torch.float64)
    torch.testing.assert_close(standardize(5 * logits - 3), standardize(logits), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('std', ['sample', 'population'])
def test_gradcheck(std):
    logits = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: standardize(z, std), logits)


@pytest.mark.parametrize('value', [0.0, 3.3, -1000.1, 1e-30])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64, torch.bfloat16])
def test_constant_rows_get_no_gradient(value, dtype):
    student = torch.full((2, 81), value, dtype=dtype)
    student[1, 0] += 5
    student.requires_grad_()
    kd_divergence(standardize(student), torch.randn(2, 81, dtype=dtype), 2.0).sum().backward()
    assert student.grad[0].abs().max() == 0
    assert 0 < student.grad[1].abs().max() < 10


def test_no_proposals():
    logits = torch.zeros(0, 4, requires_grad=True)
    standardize(logits).sum().backward()
    assert standardize(logits).shape == (0, 4)


def test_unknown_std():
    with pytest.raises(ConfigError, match="std: expected one of sample, population, but got 'max'"):
        standardize(torch.zeros(2, 3), 'max')


def test_true_is_the_published_one():
    logits = torch.randn(3, 5)
    assert torch.equal(standardize(logits, True), standardize(logits, 'sample'))
