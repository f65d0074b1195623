"""Both halves of DKD with a backward pass of their own, which keeps no ``(R, C)`` tensor but the logits."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid


class DecoupledRows(torch.autograd.Function):
    r"""TCKD and NCKD of softened logits ``(R, C)`` and targets ``(R, 1)``, each ``(R,)``.

    Notation as in :func:`eakd_det.functional.dkd_terms`. With :math:`e_y` the one-hot target, the margin's gradient is
    :math:`e_y - \hat p`, so

    .. math::
        \nabla_S \mathrm{TCKD} &= (\sigma(m^S) - \sigma(m^T)) (e_y - \hat p^S), \quad
        &\nabla_S \mathrm{NCKD} &= \hat p^S - \hat p^T \\
        \nabla_T \mathrm{TCKD} &= \sigma(m^T)\, \sigma(-m^T) (m^T - m^S) (e_y - \hat p^T), \quad
        &\nabla_T \mathrm{NCKD}_c &= \hat p^T_c (\log \hat p^T_c - \log \hat p^S_c - \mathrm{NCKD})
    """

    @staticmethod
    def forward(ctx: Any, student: Tensor, teacher: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        rows = margin_s, rest_s, margin_t, rest_t = *_split(student, target), *_split(teacher, target)
        ctx.save_for_backward(student, teacher, target, *rows)
        # p-hat is exactly 0 at the target, so the finite ratio there counts for nothing.
        nckd = _softmax_of_others(teacher, target, rest_t).mul_((teacher - rest_t).sub_(student).add_(rest_s))
        return _binary_kl(margin_t, margin_s).squeeze(1), nckd.sum(dim=1)

    @staticmethod
    def backward(ctx: Any, to_tckd: Tensor, to_nckd: Tensor) -> tuple[Tensor, Tensor | None, None]:
        student, teacher, target, *rows = ctx.saved_tensors
        if torch.is_grad_enabled():  # somebody wants second derivatives
            rows = *_split(student, target), *_split(teacher, target)
        margin_s, rest_s, margin_t, rest_t = rows
        to_tckd, to_nckd = to_tckd.unsqueeze(1), to_nckd.unsqueeze(1)
        p_hat, to_teacher = _softmax_of_others(teacher, target, rest_t), None
        if ctx.needs_input_grad[1]:  # a temperature is learned
            to_margin = to_tckd * margin_t.sigmoid() * (-margin_t).sigmoid() * (margin_t - margin_s)
            ratio = (teacher - rest_t) - (student - rest_s)
            nckd = (p_hat * ratio).sum(dim=1, keepdim=True)
            to_teacher = (p_hat * ((ratio - nckd) * to_nckd - to_margin)).scatter(1, target, to_margin)
        to_margin = to_tckd * (margin_s.sigmoid() - margin_t.sigmoid())
        to_others = _softmax_of_others(student, target, rest_s) * (to_nckd - to_margin) - p_hat * to_nckd
        return to_others.scatter(1, target, to_margin), to_teacher, None


def _split(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Margin of the target and log-sum-exp of the others, ``(R, 1)`` each."""
    rest = logits.scatter(1, target, float('-inf')).logsumexp(dim=1, keepdim=True)
    return logits.gather(1, target) - rest, rest


def _softmax_of_others(logits: Tensor, target: Tensor, rest: Tensor) -> Tensor:
    """``p-hat``, ``(R, C)``, 0 at the target."""
    return logits.scatter(1, target, float('-inf')).sub_(rest).exp_()


def _binary_kl(p_margin: Tensor, q_margin: Tensor) -> Tensor:
    """``KL`` of two Bernoulli distributions given by their logits, in the shape of these."""
    yes = p_margin.sigmoid() * (logsigmoid(p_margin) - logsigmoid(q_margin))
    no = (-p_margin).sigmoid() * (logsigmoid(-p_margin) - logsigmoid(-q_margin))
    return yes + no
