"""Divergences from a mixture of teacher and student: Jensen-Shannon and the skewed ones."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.functional._inputs import Temperature
from eakd_det.functional.kd import kl_from_log, log_probabilities


def jsd_divergence(
    student_logits: Tensor, teacher_logits: Tensor, tau: Temperature = 1.0, teacher_share: float = 0.5
) -> Tensor:
    r"""Compute the Jensen-Shannon divergence of each site, symmetric or skewed.

    .. math:: \mathrm{JSD}_n = \pi\, \mathrm{KL}(p_n \,\|\, m_n) + (1 - \pi)\, \mathrm{KL}(q_n \,\|\, m_n), \qquad
        m_n = \pi p_n + (1 - \pi) q_n

    with the teacher's :math:`p` and the student's :math:`q` at temperature :math:`\tau`. At :math:`\pi = 1/2` (DSKD) it
    is bounded by :math:`\log 2`; DistiLLM's default is :math:`\pi = 0.1`. The logarithm of the mixture comes from
    ``logaddexp``: in the published code the float32 sum may underflow. There is no factor :math:`\tau^2`.

    Args:
        student_logits: The student's class scores, ``(R, C)``.
        teacher_logits: The teacher's, ``(R, C)``.
        tau: Temperature of both softmaxes.
        teacher_share: Weight :math:`\pi` of the teacher in the mixture, between 0 and 1.

    Example:
        >>> import torch
        >>> jsd_divergence(torch.tensor([[99.0, 0.0]]), torch.tensor([[0.0, 99.0]]))
        tensor([0.6931])
    """
    log_q, log_p = log_probabilities(student_logits, teacher_logits, tau)
    log_m = _log_mixture(log_p, log_q, 'teacher_share', teacher_share)
    return teacher_share * kl_from_log(log_p, log_m) + (1 - teacher_share) * kl_from_log(log_q, log_m)


def skld_divergence(
    student_logits: Tensor, teacher_logits: Tensor, tau: Temperature = 1.0, alpha: float = 0.1
) -> Tensor:
    r"""Compute the skewed Kullback-Leibler divergence of each site (DistiLLM; Ko et al., ICML 2024).

    .. math:: \mathrm{SKLD}_n = \mathrm{KL}\bigl(p_n \,\|\, \alpha p_n + (1 - \alpha) q_n\bigr) \le \log(1/\alpha)

    DistiLLM's code returns the cross entropy with the mixture, which is larger by the teacher's entropy and has the
    same gradient. There is no factor :math:`\tau^2`.

    Args:
        student_logits: The student's class scores, ``(R, C)``.
        teacher_logits: The teacher's, ``(R, C)``.
        tau: Temperature of both softmaxes.
        alpha: Weight of the teacher in the mixture, between 0 and 1.

    Example:
        >>> import torch
        >>> skld_divergence(torch.tensor([[99.0, 0.0]]), torch.tensor([[0.0, 99.0]]))
        tensor([2.3026])
    """
    log_q, log_p = log_probabilities(student_logits, teacher_logits, tau)
    return kl_from_log(log_p, _log_mixture(log_p, log_q, 'alpha', alpha))


def srkld_divergence(
    student_logits: Tensor, teacher_logits: Tensor, tau: Temperature = 1.0, alpha: float = 0.1
) -> Tensor:
    r"""Compute the skewed reverse Kullback-Leibler divergence of each site (DistiLLM; Ko et al., ICML 2024).

    .. math:: \mathrm{SRKLD}_n = \mathrm{KL}\bigl(q_n \,\|\, (1 - \alpha) p_n + \alpha q_n\bigr) \le \log(1/\alpha)

    Args and result as in :func:`skld_divergence`, but ``alpha`` is the weight of the student in the mixture.

    Example:
        >>> import torch
        >>> srkld_divergence(torch.tensor([[99.0, 0.0]]), torch.tensor([[0.0, 99.0]]))
        tensor([2.3026])
    """
    log_q, log_p = log_probabilities(student_logits, teacher_logits, tau)
    return kl_from_log(log_q, _log_mixture(log_q, log_p, 'alpha', alpha))


def _log_mixture(log_first: Tensor, log_second: Tensor, name: str, weight: float) -> Tensor:
    """Return the logarithm of ``weight * first + (1 - weight) * second``."""
    if not 0 < weight < 1:
        raise ConfigError(f'{name}: expected a number above 0 and below 1, but got {weight!r}')
    return torch.logaddexp(log_first + math.log(weight), log_second + math.log1p(-weight))
