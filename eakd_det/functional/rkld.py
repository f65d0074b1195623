"""The reverse Kullback-Leibler divergence."""

from __future__ import annotations

from torch import Tensor

from eakd_det.functional._inputs import Temperature, check_pair, soften
from eakd_det.functional.kd import kl_from_log


def rkld_divergence(student_logits: Tensor, teacher_logits: Tensor, tau: Temperature = 1.0) -> Tensor:
    r"""Compute the reverse Kullback-Leibler divergence of each site.

    .. math:: \mathrm{RKLD}_n = \mathrm{KL}(q_n \,\|\, p_n), \qquad
        p_n = \mathrm{softmax}(z^T_n / \tau), \quad q_n = \mathrm{softmax}(z^S_n / \tau)

    It makes the student pick one of the teacher's modes rather than cover all of them. There is no factor
    :math:`\tau^2`, as in the language model distillation it comes from (DSKD, DistiLLM; MiniLLM optimises it by policy
    gradient, which this is not). A student that is confidently wrong costs up to the teacher's margin.

    Args:
        student_logits: The student's class scores, ``(R, C)``.
        teacher_logits: The teacher's, ``(R, C)``; no gradient reaches them.
        tau: Temperature of both softmaxes. Defaults to 1.0.

    Returns:
        Divergences in nats, ``(R,)``, float32 or better.

    Raises:
        ConfigError: If shapes or devices differ, or ``tau`` is not above 0.

    Example:
        >>> import torch
        >>> rkld_divergence(torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[2.0, 0.0, 0.0]]))
        tensor([0.1120])
    """
    student, teacher = check_pair(student_logits, teacher_logits)
    return kl_from_log(soften(student, tau).log_softmax(dim=1), soften(teacher, tau).log_softmax(dim=1))
