from __future__ import annotations

import torch

from eakd_det.losses import KDLoss, RKLDLoss
from tests import golden


@golden.cases('kd')
def test_golden(case, dtype):
    student, teacher = golden.logits(case, dtype)
    loss = KDLoss(tau=case['params'].get('T', 1.0))(student, teacher)
    loss.backward()
    golden.check_present(case['expected'], dtype, loss_mean=loss, grad_student_logits_of_mean=student.grad)


@golden.cases('ea_kd')
def test_golden_with_entropy_weights(case, dtype):
    student, teacher = golden.logits(case, dtype)
    params = case['params']
    entropy = dict(type='EntropyWeighting', tau=params.get('T_prime', 3.0))

    def loss(weighting=entropy, **kwargs):
        return KDLoss(tau=params.get('T', 1.0), weighting=weighting, **kwargs)(student, teacher)

    golden.check_present(
        case['expected'],
        dtype,
        loss_mean=loss(),
        loss_sum_eq14=loss(reduction='sum'),
        per_sample=loss(reduction='none'),
        grad_student_logits_w_detached=torch.autograd.grad(loss(), student)[0],
    )
    if 'loss_mean_weight_normalised' in case['expected'] and case['expected']['loss_mean'] > 0:
        normalised = loss(dict(entropy, normalize=True))
        golden.check(normalised, case['expected']['loss_mean_weight_normalised'], dtype)


@golden.cases('ea_kd', official='loss_as_shipped_H_ub_100')
def test_bound_of_the_published_cifar_code(case, dtype):
    student, teacher = golden.logits(case, dtype)
    weighting = dict(type='EntropyWeighting', tau=case['params']['T_prime'], h_ub=100)
    loss = KDLoss(tau=case['params']['T'], weighting=weighting)(student, teacher)
    expected = torch.tensor(case['official_code']['loss_as_shipped_H_ub_100'], dtype=dtype)
    # Their epsilon makes the weight of a sure prediction -1e-10, times a divergence of up to 400.
    torch.testing.assert_close(loss, expected, rtol=1e-6 if dtype == torch.float64 else 1e-4, atol=1e-7)


@golden.cases('er_kd_detection_v1')
def test_golden_of_the_first_version(case, dtype):
    weighting = dict(type='EntropyWeighting', mode='teacher', tau=case['params']['T_prime'])
    loss = KDLoss(case['params']['T'], weighting=weighting)(*golden.logits(case, dtype))
    golden.check(loss, case['expected']['loss_mean'], dtype)


def test_mean_matched_control_has_the_same_scale():
    student, teacher = torch.randn(2, 50, 11)
    matched = KDLoss(weighting=dict(type='MeanMatchedWeighting', tau=1.0)).terms(student, teacher)
    entropy = KDLoss(weighting=dict(type='EntropyWeighting', tau=1.0)).terms(student, teacher)
    torch.testing.assert_close(matched.weights.mean(), entropy.weights.mean())
    assert matched.weights.std() < 1e-6 < entropy.weights.std()


def test_equals_mmrazor():
    from mmrazor.models.losses import KLDivergence

    student, teacher = torch.randn(2, 50, 11)
    torch.testing.assert_close(
        KDLoss(tau=4.0)(student, teacher), KLDivergence(tau=4.0, reduction='batchmean')(student, teacher)
    )


@golden.cases('rkld')
def test_golden_reverse(case, dtype):
    loss = RKLDLoss(case['params'].get('T', 1.0))
    golden.check(loss(*golden.logits(case, dtype)), case['expected']['loss_mean'], dtype)
