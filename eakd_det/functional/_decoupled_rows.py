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
        margin_s, rest_s, _ = _split(student, target)
        margin_t, rest_t, others = _split(teacher, target)
        ctx.save_for_backward(student, teacher, target)
        # p-hat of the teacher is exactly 0 at the target, so the finite ratio there counts for nothing.
        p_hat = others.sub_(rest_t).exp_()
        return _binary_kl(margin_t, margin_s), p_hat.mul_(_log_ratio(student, teacher, rest_s, rest_t)).sum(dim=1)

    @staticmethod
    def backward(ctx: Any, to_tckd: Tensor, to_nckd: Tensor) -> tuple[Tensor, Tensor | None, None]:
        student, teacher, target = ctx.saved_tensors
        margin_s, rest_s, others_s = _split(student, target)
        margin_t, rest_t, others_t = _split(teacher, target)
        p_hat, to_teacher = (others_t - rest_t).exp(), None
        if ctx.needs_input_grad[1]:  # a temperature is learned
            to_margin = (to_tckd * margin_t.sigmoid() * (-margin_t).sigmoid() * (margin_t - margin_s)).unsqueeze(1)
            ratio = _log_ratio(student, teacher, rest_s, rest_t)
            nckd = (p_hat * ratio).sum(dim=1, keepdim=True)
            to_others = p_hat * ((ratio - nckd) * to_nckd.unsqueeze(1) - to_margin)
            to_teacher = to_others.scatter(1, target, to_margin)
        to_margin = (to_tckd * (margin_s.sigmoid() - margin_t.sigmoid())).unsqueeze(1)
        q_hat = (others_s - rest_s).exp()
        to_others = q_hat * (to_nckd.unsqueeze(1) - to_margin) - p_hat * to_nckd.unsqueeze(1)
        return to_others.scatter(1, target, to_margin), to_teacher, None


def _split(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Margin of the target ``(R,)``, log-sum-exp of the others ``(R, 1)``, logits with the target at -inf."""
    others = logits.scatter(1, target, float('-inf'))
    rest = others.logsumexp(dim=1, keepdim=True)
    return (logits.gather(1, target) - rest).squeeze(1), rest, others


def _log_ratio(student: Tensor, teacher: Tensor, rest_s: Tensor, rest_t: Tensor) -> Tensor:
    """``log p-hat of the teacher - log p-hat of the student``, ``(R, C)``."""
    return (teacher - rest_t) - (student - rest_s)


def _binary_kl(p_margin: Tensor, q_margin: Tensor) -> Tensor:
    """``KL`` of two Bernoulli distributions given by their logits, ``(R,)``."""
    yes = p_margin.sigmoid() * (logsigmoid(p_margin) - logsigmoid(q_margin))
    no = (-p_margin).sigmoid() * (logsigmoid(-p_margin) - logsigmoid(-q_margin))
    return yes + no
