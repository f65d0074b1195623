"""The divergence of classic knowledge distillation."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from eakd_det.functional._inputs import Temperature, check_pair, soften, times_tau_squared


def kl_from_log(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Kullback-Leibler divergence of rows, ``KL(p || q)``, from log-probabilities: ``(R, C)``, ``(R, C) -> (R,)``."""
    return (log_p.exp() * (log_p - log_q)).sum(dim=1)


def kd_divergence(student_logits: Tensor, teacher_logits: Tensor, tau: Temperature = 1.0) -> Tensor:
    r"""Softened Kullback-Leibler divergence of each proposal (Hinton et al., 2015).

    .. math:: \mathrm{KD}_n = \tau^2 \sum_{c=1}^{C} p_{nc} (\log p_{nc} - \log q_{nc}), \qquad
        p_n = \mathrm{softmax}(z^T_n / \tau), \quad q_n = \mathrm{softmax}(z^S_n / \tau)

    Its mean over proposals is the loss of MMRazor's ``KLDivergence(reduction='batchmean')``; a mean over proposals
    *and* classes, as MMDetection's ``KnowledgeDistillationKLDivLoss`` takes it, is ``C`` times smaller.

    Args:
        student_logits: The student's class scores, ``(R, C)``.
        teacher_logits: The teacher's, ``(R, C)``; no gradient reaches them.
        tau: Temperature of both softmaxes. Defaults to 1.0, which all released detection code uses. A tensor of
            one element or of shape ``(R,)`` gets a gradient, through both softmaxes and the factor.

    Returns:
        Divergences in nats times ``tau ** 2``, ``(R,)``, float32 or better, not negative up to rounding.

    Raises:
        ConfigError: If shapes or devices differ, or ``tau`` is not above 0.

    Example:
        >>> import torch
        >>> student, teacher = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[2.0, 0.0, 0.0]])
        >>> kd_divergence(student, teacher)
        tensor([0.0989])
    """
    student, teacher = check_pair(student_logits, teacher_logits)
    return times_tau_squared(_KLOfRows.apply(soften(student, tau), soften(teacher, tau)), tau)


class _KLOfRows(torch.autograd.Function):
    """``KL(softmax(teacher) || softmax(student))`` of rows; keeps its inputs and no other ``(R, C)`` for backward."""

    @staticmethod
    def forward(ctx: Any, student: Tensor, teacher: Tensor) -> Tensor:
        ctx.save_for_backward(student, teacher)
        log_p = teacher.log_softmax(dim=1)
        ratio = student.log_softmax(dim=1).neg_().add_(log_p)
        return log_p.exp_().mul_(ratio).sum(dim=1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None]:
        student, teacher = ctx.saved_tensors
        gradient = gradient.unsqueeze(1)
        p, to_teacher = teacher.softmax(dim=1), None
        if ctx.needs_input_grad[1]:  # a temperature is learned
            ratio = teacher.log_softmax(dim=1) - student.log_softmax(dim=1)
            to_teacher = (ratio - (p * ratio).sum(dim=1, keepdim=True)) * p * gradient
        return (student.softmax(dim=1) - p) * gradient, to_teacher
