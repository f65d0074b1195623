from __future__ import annotations

import pytest
import torch

from eakd_det.functional import cosine_reversal, kd_divergence, scale_gradient
from tests import golden


@golden.cases('ctkd_schedule')
def test_golden_schedule(case, dtype):
    for loops, expected in ((10, case['expected']['loops10']), (5, case['expected']['loops5'])):
        epochs = torch.tensor([float(epoch) for epoch in expected], dtype=dtype)
        golden.check(cosine_reversal(epochs / loops), list(expected.values()), dtype)


@golden.cases('ctkd_instance')
def test_golden_temperature_of_each_proposal(case, dtype):
    student, teacher = golden.logits(case, dtype)
    per_sample = kd_divergence(student, teacher, torch.tensor(case['params']['T_per_sample'], dtype=dtype))
    golden.check_present(case['expected'], dtype, per_sample=per_sample, loss_mean=per_sample.mean())


@pytest.mark.parametrize('factor', [-1.0, -0.25, 0.0, 2.0])
def test_scales_the_gradient_and_nothing_else(factor):
    value = torch.randn(3, 4, requires_grad=True)
    scaled = scale_gradient(value, factor)
    assert torch.equal(scaled, value)
    upstream = torch.randn(3, 4)
    scaled.backward(upstream)
    assert torch.equal(value.grad, factor * upstream)


def test_factor_as_a_tensor_gets_no_gradient():
    value, factor = torch.tensor(2.0, requires_grad=True), torch.tensor(-0.5, requires_grad=True)
    scale_gradient(value, factor).backward()
    assert value.grad == -0.5
    assert factor.grad is None


def test_the_ramp_keeps_its_digits_from_the_first_iteration_on():
    progress = torch.tensor([1e-7, 1 / 180_000, 1 / 7500, 0.01, 0.5, 1.0], dtype=torch.float64)
    expected = (torch.cos(torch.pi * progress) - 1) / 2
    expected[0] = -((torch.pi * 1e-7 / 2) ** 2)  # the cosine cancels even in float64
    torch.testing.assert_close(cosine_reversal(progress.float()), expected.float(), rtol=1e-5, atol=0)
