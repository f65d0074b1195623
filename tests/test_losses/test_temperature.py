from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from eakd_det.losses import DKDLoss, KDLoss, LearnedTemperature, ProposalTemperature
from tests import golden


def _ctkd(case, dtype, iteration, ramp_iters, **kwargs):
    params = case['params']
    names = ('theta', 'tau_init', 'tau_range')
    tau = dict(type='LearnedTemperature', ramp_iters=ramp_iters, **{n: params[n] for n in names if n in params})
    loss = KDLoss(tau, **kwargs).to(dtype)
    loss.tau.iterations.count.fill_(iteration - 1)
    return loss


@golden.cases('ctkd_global')
def test_golden(case, dtype):
    student, teacher = golden.logits(case, dtype)
    # The golden file has the factor of the 10th and of the 1st of 10 epochs.
    iteration = 10 if case['params'].get('grl_multiplier', -1.0) == -1.0 else 1
    loss = _ctkd(case, dtype, iteration, 10)
    value = loss(student, teacher)
    value.backward()
    temperature = loss.tau.value()
    (d_temperature,) = torch.autograd.grad(temperature, loss.tau.theta)
    delivered = loss.tau.theta.grad
    actual = dict(loss_mean=value, T=temperature, grad_theta_delivered_to_optimizer=delivered)
    actual['dL_dtheta_without_grl'] = delivered / loss.tau.reversal()
    actual['dL_dT'] = actual['dL_dtheta_without_grl'] / d_temperature
    golden.check_present(case['expected'], dtype, **actual)


@golden.cases('ea_ctkd')
def test_golden_with_entropy_weights(case, dtype):
    weighting = dict(type='EntropyWeighting', tau=case['params']['T_prime'])
    loss = _ctkd(case, dtype, 1, 10, weighting=weighting)
    value = loss(*golden.logits(case, dtype))
    golden.check_present(case['expected'], dtype, loss_mean=value, T=loss.tau.value())


@golden.cases('ctkd_temperature')
def test_golden_map(case, dtype):
    for theta, expected in case['expected'].items():
        temperature = LearnedTemperature(theta=float(theta), **case['params']).to(dtype)
        golden.check(temperature.value(), expected, dtype)


def test_moves_against_the_student():
    # Minimising with the reversed gradient must raise the loss in theta, for the same logits.
    student, teacher = 3 * torch.randn(2, 64, 11)
    loss = KDLoss(dict(type='LearnedTemperature', ramp_iters=1, theta=-3.0))
    optimizer = torch.optim.SGD(loss.parameters(), lr=0.1)
    values = []
    for _ in range(20):
        optimizer.zero_grad()
        value = loss(student, teacher)
        value.backward()
        optimizer.step()
        values.append(value.item())
    assert all(later > earlier for earlier, later in pairwise(values))


def test_counts_training_iterations_only():
    loss = KDLoss(dict(type='LearnedTemperature', ramp_iters=4))
    logits = torch.randn(3, 5)
    factors = []
    for _ in range(6):
        loss(logits, logits)
        factors.append(loss.tau.reversal().item())
    expected = [-(1 - math.cos(math.pi * min(i, 4) / 4)) / 2 for i in range(1, 7)]
    assert factors == pytest.approx(expected)
    loss.eval()(logits, logits)
    assert loss.tau.iterations.count == 6


def test_parameter_and_count_are_saved_and_resumed():
    first, second = (KDLoss(dict(type='LearnedTemperature', ramp_iters=4)) for _ in range(2))
    with torch.no_grad():
        first.tau.theta.fill_(-2.0)
    first(torch.randn(3, 5), torch.randn(3, 5))
    second.load_state_dict(first.state_dict())
    assert second.tau.theta == -2.0
    assert second.tau.iterations.count == 1
    assert [name for name, _ in first.named_parameters()] == ['tau.theta']


def test_temperature_is_in_the_log():
    values = KDLoss(dict(type='LearnedTemperature')).log_values()
    assert values['tau'].item() == pytest.approx(15.621172)
    assert not values['tau'].requires_grad
    assert KDLoss(2.0).log_values() == {}


def test_no_proposals_still_reach_the_parameter():
    # DDP wants a gradient for every parameter in every iteration.
    loss = KDLoss(dict(type='LearnedTemperature'))
    loss(torch.zeros(0, 4, requires_grad=True), torch.zeros(0, 4)).backward()
    assert loss.tau.theta.grad == 0


def test_works_with_any_logit_loss():
    student, teacher = torch.randn(2, 6, 5)
    labels = torch.randint(5, (6,))
    loss = DKDLoss(dict(type='eakd_det.LearnedTemperature'))
    fixed = DKDLoss(float(loss.tau.value()))
    torch.testing.assert_close(loss(student, teacher, labels), fixed(student, teacher, labels))


def test_optimizer_can_spare_it_weight_decay():
    from mmengine.optim import build_optim_wrapper

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.student = torch.nn.Linear(2, 2)
            self.loss = KDLoss(dict(type='LearnedTemperature'))

    wrapper = build_optim_wrapper(
        Model(),
        dict(
            optimizer=dict(type='SGD', lr=0.1, weight_decay=1e-4),
            paramwise_cfg=dict(custom_keys={'tau.theta': dict(decay_mult=0.0)}),
        ),
    )
    decay = {tuple(group['params'][0].shape): group['weight_decay'] for group in wrapper.optimizer.param_groups}
    assert decay == {(2, 2): 1e-4, (2,): 1e-4, (): 0.0}


def test_base_has_no_temperature():
    with pytest.raises(NotImplementedError):
        ProposalTemperature()(torch.zeros(1, 2), torch.zeros(1, 2))
