"""The divergence of classic knowledge distillation."""

from __future__ import annotations

from torch import Tensor

from eakd_det.functional._inputs import Temperature, check_pair, soften, times_tau_squared


def kl_from_log(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Return ``KL(p || q)`` of each row, ``(R,)``, from log-probabilities ``(R, C)``."""
    return (log_p.exp() * (log_p - log_q)).sum(dim=1)


def log_probabilities(student_logits: Tensor, teacher_logits: Tensor, tau: Temperature) -> tuple[Tensor, Tensor]:
    """Return ``log q`` of the student and ``log p`` of the teacher at temperature ``tau``, ``(R, C)`` each."""
    student, teacher = check_pair(student_logits, teacher_logits)
    return soften(student, tau).log_softmax(dim=1), soften(teacher, tau).log_softmax(dim=1)


def kd_divergence(student_logits: Tensor, teacher_logits: Tensor, tau: Temperature = 1.0) -> Tensor:
    r"""Compute the Kullback-Leibler divergence of each site at a temperature (Hinton et al., 2015).

    .. math:: \mathrm{KD}_n = \tau^2 \sum_{c=1}^{C} p_{nc} (\log p_{nc} - \log q_{nc}), \qquad
        p_n = \mathrm{softmax}(z^T_n / \tau), \quad q_n = \mathrm{softmax}(z^S_n / \tau)

    Its mean over sites is the loss of MMRazor's ``KLDivergence(reduction='batchmean')``. MMDetection's
    ``KnowledgeDistillationKLDivLoss`` takes the mean over sites *and* classes, which is ``C`` times smaller.

    Args:
        student_logits: The student's class scores, ``(R, C)``.
        teacher_logits: The teacher's, ``(R, C)``.
        tau: Temperature of both softmaxes; the released detection code uses 1. A tensor gets a gradient, through both
            softmaxes and the factor.

    Example:
        >>> import torch
        >>> kd_divergence(torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[2.0, 0.0, 0.0]]))
        tensor([0.0989])
    """
    log_q, log_p = log_probabilities(student_logits, teacher_logits, tau)
    return times_tau_squared(kl_from_log(log_p, log_q), tau)


def rkld_divergence(student_logits: Tensor, teacher_logits: Tensor, tau: Temperature = 1.0) -> Tensor:
    r"""Compute the reverse Kullback-Leibler divergence of each site.

    .. math:: \mathrm{RKLD}_n = \mathrm{KL}(q_n \,\|\, p_n), \qquad
        p_n = \mathrm{softmax}(z^T_n / \tau), \quad q_n = \mathrm{softmax}(z^S_n / \tau)

    It makes the student pick one of the teacher's modes instead of covering all of them. There is no factor
    :math:`\tau^2`, as in the language model distillation it comes from (DSKD, DistiLLM; MiniLLM optimises it by policy
    gradient, which this does not).

    Args:
        student_logits: The student's class scores, ``(R, C)``.
        teacher_logits: The teacher's, ``(R, C)``.
        tau: Temperature of both softmaxes.

    Example:
        >>> import torch
        >>> rkld_divergence(torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[2.0, 0.0, 0.0]]))
        tensor([0.1120])
    """
    log_q, log_p = log_probabilities(student_logits, teacher_logits, tau)
    return kl_from_log(log_q, log_p)
