"""Transformed teacher matching: a temperature for the teacher alone."""

from __future__ import annotations

from torch import Tensor

from eakd_det.functional._inputs import Temperature, check_logits, check_pair, soften
from eakd_det.functional.kd import kl_from_log


def ttm_divergence(student_logits: Tensor, teacher_logits: Tensor, tau: Temperature = 2.0) -> Tensor:
    r"""Compute the divergence of the student from the teacher at a temperature (TTM; Zheng and Yang, ICLR 2024).

    .. math:: \mathrm{TTM}_n = \mathrm{KL}\bigl(\mathrm{softmax}(z^T_n / \tau) \,\|\, \mathrm{softmax}(z^S_n)\bigr)

    The student has no temperature, and there is no factor :math:`\tau^2`.

    Args:
        student_logits: The student's class scores, ``(R, C)``.
        teacher_logits: The teacher's, ``(R, C)``.
        tau: Temperature of the teacher, the paper's :math:`1/\gamma`. The paper has 1.25 to 10 for classification and
            nothing for detection; the default is this package's.

    Example:
        >>> import torch
        >>> ttm_divergence(torch.tensor([[2.0, 0.0, 0.0]]), torch.tensor([[4.0, 0.0, 0.0]]), tau=2.0)
        tensor([0.])
    """
    student, teacher = check_pair(student_logits, teacher_logits)
    return kl_from_log(soften(teacher, tau).log_softmax(dim=1), student.log_softmax(dim=1))


def power_sum(teacher_logits: Tensor, tau: Temperature = 2.0) -> Tensor:
    r"""Compute the teacher's power sum, by which WTTM weights TTM (Zheng and Yang, ICLR 2024).

    .. math:: U_n = \sum_{c=1}^{C} p_{nc}^{1/\tau}, \qquad p_n = \mathrm{softmax}(z^T_n)

    It runs from 1 for a one-hot teacher to :math:`C^{1 - 1/\tau}` for a uniform one. It is computed from log-sum-exps,
    because the power of a probability that underflows would lose the tail.

    Args:
        teacher_logits: The teacher's class scores, ``(R, C)``.
        tau: Temperature of the teacher, the paper's :math:`1/\gamma`, at least 1.

    Example:
        >>> import torch
        >>> power_sum(torch.zeros(1, 4), tau=2.0)
        tensor([2.])
    """
    teacher = check_logits(teacher_logits.detach())
    return (soften(teacher, tau).logsumexp(dim=1) - teacher.logsumexp(dim=1) / tau).exp()
