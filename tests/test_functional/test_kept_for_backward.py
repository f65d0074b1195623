from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from eakd_det.functional import dkd_divergence, kd_divergence

DIVERGENCES = {'kd': lambda s, t, y, tau=1.0: kd_divergence(s, t, tau), 'dkd': dkd_divergence}
every_divergence = pytest.mark.parametrize('divergence', DIVERGENCES.values(), ids=DIVERGENCES)


@every_divergence
def test_no_large_tensor_but_the_logits(divergence):
    student, teacher, labels = torch.randn(64, 81, requires_grad=True), torch.randn(64, 81), torch.randint(81, (64,))
    kept: list[Tensor] = []
    with saved_tensors_hooks(lambda tensor: kept.append(tensor) or tensor, lambda tensor: tensor):
        divergence(student, teacher, labels).mean()
    large = {tensor.data_ptr() for tensor in kept if tensor.numel() >= 64 * 81}
    assert large == {student.data_ptr(), teacher.data_ptr()}


@every_divergence
@pytest.mark.parametrize('rows', [1, 6])
def test_gradient_of_a_learned_temperature(divergence, rows):
    student, teacher = torch.randn(2, 6, 5, dtype=torch.float64)
    tau = torch.linspace(0.8, 3.0, rows, dtype=torch.float64, requires_grad=True)
    student.requires_grad_()
    labels = torch.tensor([0, 1, 2, 3, 4, 4])
    assert torch.autograd.gradcheck(lambda s, t: divergence(s, teacher, labels, t), (student, tau))


@every_divergence
def test_second_derivative(divergence):
    student, teacher = torch.randn(2, 3, 4, dtype=torch.float64)
    labels = torch.tensor([0, 1, 3])
    assert torch.autograd.gradgradcheck(lambda s: divergence(s, teacher, labels), student.requires_grad_())
