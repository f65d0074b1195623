from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import special

from eakd_det.errors import ConfigError
from eakd_det.functional import dkd_divergence, dkd_terms, ea_weight, kd_divergence
from tests import golden


def _settings(case):
    params = case['params']
    return dict(tau=params.get('T', 1.0), alpha=params.get('alpha', 1.0), beta=params.get('beta', 0.25))


@golden.cases('dkd')
def test_golden(case, dtype):
    student, teacher = golden.logits(case, dtype)
    labels, settings = golden.targets(case), _settings(case)
    terms = dkd_terms(student, teacher, labels, settings['tau'])
    divergence = dkd_divergence(student, teacher, labels, **settings)
    golden.check_present(
        case['expected'],
        dtype,
        tckd_per_sample=terms.target,
        nckd_per_sample=terms.non_target,
        loss_mean=divergence.sum() / max(len(labels), 1),
    )
    divergence.sum().backward()
    assert student.grad.isfinite().all()


@golden.cases('ea_dkd')
def test_golden_with_entropy_weights(case, dtype):
    student, teacher = golden.logits(case, dtype)
    weights = ea_weight(student, teacher, case['params'].get('T_prime', 3.0))
    per_sample = weights * dkd_divergence(student, teacher, golden.targets(case), **_settings(case))
    mean = per_sample.sum() / max(len(per_sample), 1)
    golden.check_present(case['expected'], dtype, per_sample=per_sample, loss_mean=mean)


def test_equals_scipy():
    rng = np.random.default_rng(2)
    student, teacher = rng.normal(scale=4, size=(2, 30, 81))
    labels, tau = rng.integers(81, size=30), 2.0
    expected = []
    for z_s, z_t, y in zip(student / tau, teacher / tau, labels, strict=True):
        p, q = special.softmax(z_t), special.softmax(z_s)
        target = special.rel_entr([p[y], 1 - p[y]], [q[y], 1 - q[y]]).sum()
        p, q = special.softmax(np.delete(z_t, y)), special.softmax(np.delete(z_s, y))
        expected.append(tau**2 * (1.5 * target + 0.5 * special.rel_entr(p, q).sum()))
    actual = dkd_divergence(*map(torch.from_numpy, (student, teacher, labels)), tau, alpha=1.5, beta=0.5)
    np.testing.assert_allclose(actual.numpy(), expected, rtol=1e-9)


@pytest.mark.parametrize('tau', [1.0, 3.0])
def test_kd_is_target_plus_rest_times_non_target(tau):
    student, teacher = 3 * torch.randn(2, 40, 81, dtype=torch.float64)
    labels = torch.randint(81, (40,))
    target, non_target = dkd_terms(student, teacher, labels, tau)
    rest = 1 - (teacher / tau).softmax(dim=1).gather(1, labels[:, None]).squeeze(1)
    torch.testing.assert_close(target + rest * non_target, kd_divergence(student, teacher, tau))


@pytest.mark.parametrize('classes', [2, 81, 1204])
def test_all_background(classes):
    student, teacher = torch.randn(2, 64, classes, requires_grad=True)
    dkd_divergence(student, teacher, torch.full((64,), classes - 1)).sum().backward()


@pytest.mark.parametrize('shift', [-5000.0, 5000.0])
def test_masks_the_target_wherever_the_logits_are(shift):
    student, teacher = torch.randint(-3, 4, (2, 20, 7)).float()
    labels = torch.randint(7, (20,))
    shifted = dkd_terms(student + shift, teacher + shift, labels)
    expected = dkd_terms(student, teacher, labels)
    for actual, wanted in zip(shifted, expected, strict=True):
        torch.testing.assert_close(actual, wanted, rtol=1e-2, atol=1e-2)


def test_two_classes_have_no_rest_to_compare():
    student, teacher = torch.randn(2, 8, 2)
    assert dkd_terms(student, teacher, torch.randint(2, (8,))).non_target.abs().max() == 0


def test_gradient_where_the_published_code_gives_nan_and_inf():
    student = torch.tensor([[120.0, 0.0, 0.0, 0.0], [0.0, 120.0, 0.0, 0.0]], requires_grad=True)
    teacher = torch.tensor([[130.0, 0.0, 0.0, 0.0], [5.0, 0.0, 0.0, 0.0]])
    dkd_divergence(student, teacher, torch.tensor([0, 0])).sum().backward()
    assert student.grad.isfinite().all()
    assert student.grad[1, 0] < -0.9  # as good as all of the teacher's mass is missing there


@pytest.mark.parametrize(
    ('labels', 'message'),
    [
        (None, 'gt_labels: expected the class of each site, but got None'),
        (torch.zeros(3, dtype=torch.int64), 'gt_labels: expected 2 integers, one for each site'),
        (torch.zeros(2, 1, dtype=torch.int64), 'gt_labels: expected 2 integers, one for each site'),
        (torch.zeros(2), 'gt_labels: expected 2 integers, one for each site, but got torch.float32'),
        (torch.zeros(2, dtype=torch.bool), 'gt_labels: expected 2 integers, one for each site, but got torch.bool'),
        (torch.tensor([0, 4]), r'labels from 0 to 3, but .*4'),
        (torch.tensor([-1, 0]), r'labels from 0 to 3, but .*-1'),
        (
            torch.zeros(2, dtype=torch.int64, device='meta'),
            'gt_labels: expected device cpu of the logits, but got meta',
        ),
    ],
)
def test_bad_labels(labels, message):
    with pytest.raises(ConfigError, match=message):
        dkd_divergence(torch.zeros(2, 4), torch.zeros(2, 4), labels)


def test_int32_labels():
    student, teacher = torch.randn(2, 4, 5)
    labels = torch.tensor([0, 1, 2, 4])
    assert torch.equal(dkd_divergence(student, teacher, labels.int()), dkd_divergence(student, teacher, labels))
