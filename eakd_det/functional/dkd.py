"""Decoupled knowledge distillation: the target class apart from all others."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import logsigmoid

from eakd_det.functional._inputs import Temperature, check_labels, check_pair, soften, times_tau_squared


class DKDTerms(NamedTuple):
    """The two halves of DKD, each ``(R,)`` with the factor ``tau ** 2``.

    Attributes:
        target: Target class against all others (TCKD).
        non_target: The other classes among each other (NCKD).
    """

    target: Tensor
    non_target: Tensor


def dkd_terms(student_logits: Tensor, teacher_logits: Tensor, labels: Tensor, tau: Temperature = 1.0) -> DKDTerms:
    r"""Compute TCKD and NCKD of each site (Zhao et al., CVPR 2022).

    With :math:`L_n = \log \sum_{c \ne y_n} e^{z_{nc}/\tau}` and the margin :math:`m_n = z_{n y_n}/\tau - L_n`, the
    target probability is :math:`\sigma(m_n)`, the rest :math:`\sigma(-m_n)`, and the distribution among the other
    classes :math:`\hat p_{nc} = e^{z_{nc}/\tau - L_n}`. Then

    .. math::
        \mathrm{TCKD}_n &= \tau^2\, \mathrm{KL}\bigl([\sigma(m^T_n), \sigma(-m^T_n)]
            \,\|\, [\sigma(m^S_n), \sigma(-m^S_n)]\bigr) \\
        \mathrm{NCKD}_n &= \tau^2\, \mathrm{KL}(\hat p^T_n \,\|\, \hat p^S_n)

    and ``KD = TCKD + (1 - p_target) * NCKD`` at the same temperature. The published code masks by ``-1000`` and takes
    ``log(0)`` at large margins; here every logarithm comes from log-sum-exp, which does neither.

    Args:
        student_logits: The student's class scores, ``(R, C)``.
        teacher_logits: The teacher's, ``(R, C)``.
        labels: The class assigned to each site, ``(R,)``; background (``C - 1``) is a target as well.
        tau: Temperature of all distributions.

    Example:
        >>> import torch
        >>> student, teacher = torch.tensor([[1.0, 0.0, 0.5]]), torch.tensor([[2.0, 0.5, 0.0]])
        >>> dkd_terms(student, teacher, torch.tensor([0]))
        DKDTerms(target=tensor([0.1100]), non_target=tensor([0.1225]))
    """
    student, teacher = check_pair(student_logits, teacher_logits)
    target = check_labels(labels, student).unsqueeze(1)
    student, teacher = soften(student, tau), soften(teacher, tau)
    margin_s, _, rest_s = _split(student, target)
    margin_t, others_t, rest_t = _split(teacher, target)
    tckd = _binary_kl(margin_t, margin_s)
    p_hat = (others_t - rest_t).exp()  # 0 at the target, where the ratio below is finite
    nckd = (p_hat * ((teacher - rest_t) - (student - rest_s))).sum(dim=1)
    return DKDTerms(times_tau_squared(tckd.squeeze(1), tau), times_tau_squared(nckd, tau))


def _split(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the target's margin ``(R, 1)``, the logits without the target ``(R, C)``, their log-sum-exp ``(R, 1)``."""
    others = logits.scatter(1, target, float('-inf'))
    rest = others.logsumexp(dim=1, keepdim=True)
    return logits.gather(1, target) - rest, others, rest


def _binary_kl(p_margin: Tensor, q_margin: Tensor) -> Tensor:
    """Return the divergence of two Bernoulli distributions, given by their logits."""
    yes = p_margin.sigmoid() * (logsigmoid(p_margin) - logsigmoid(q_margin))
    no = (-p_margin).sigmoid() * (logsigmoid(-p_margin) - logsigmoid(-q_margin))
    return yes + no


def dkd_divergence(
    student_logits: Tensor,
    teacher_logits: Tensor,
    labels: Tensor,
    tau: Temperature = 1.0,
    alpha: float = 1.0,
    beta: float = 0.25,
) -> Tensor:
    r"""Compute the decoupled divergence of each site (Zhao et al., CVPR 2022) from :func:`dkd_terms`.

    .. math:: \mathrm{DKD}_n = \alpha\, \mathrm{TCKD}_n + \beta\, \mathrm{NCKD}_n

    Its mean over sites is the loss of mdistiller, and of MMRazor's ``DKDLoss`` with ``reduction='batchmean'``.
    MMRazor's 'mean' and 'none' are sums.

    Args:
        student_logits: The student's class scores, ``(R, C)``.
        teacher_logits: The teacher's, ``(R, C)``.
        labels: The class assigned to each site, ``(R,)``; background (``C - 1``) is a target as well.
        tau: Temperature of all distributions; mdistiller's detection code uses 1.
        alpha: Weight of the target term.
        beta: Weight of the non-target term. The default is that of mdistiller's detection code: for the many
            background sites this term compares noise.

    Example:
        >>> import torch
        >>> student, teacher = torch.tensor([[1.0, 0.0, 0.5]]), torch.tensor([[2.0, 0.5, 0.0]])
        >>> dkd_divergence(student, teacher, torch.tensor([0]))
        tensor([0.1407])
    """
    target, non_target = dkd_terms(student_logits, teacher_logits, labels, tau)
    return alpha * target + beta * non_target
