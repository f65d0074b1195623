"""The divergence of classic knowledge distillation."""

from __future__ import annotations

from torch import Tensor

from eakd_det.functional._inputs import Temperature, check_pair, soften, times_tau_squared


def kl_from_log(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Return ``KL(p || q)`` of each row, ``(R,)``, from log-probabilities ``(R, C)``."""
    return (log_p.exp() * (log_p - log_q)).sum(dim=1)


def kd_divergence(student_logits: Tensor, teacher_logits: Tensor, tau: Temperature = 1.0) -> Tensor:
    r"""Compute the softened Kullback-Leibler divergence of each site (Hinton et al., 2015).

    .. math:: \mathrm{KD}_n = \tau^2 \sum_{c=1}^{C} p_{nc} (\log p_{nc} - \log q_{nc}), \qquad
        p_n = \mathrm{softmax}(z^T_n / \tau), \quad q_n = \mathrm{softmax}(z^S_n / \tau)

    Its mean over sites is the loss of MMRazor's ``KLDivergence(reduction='batchmean')``; a mean over sites
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
    log_q = soften(student, tau).log_softmax(dim=1)
    log_p = soften(teacher, tau).log_softmax(dim=1)
    return times_tau_squared(kl_from_log(log_p, log_q), tau)
