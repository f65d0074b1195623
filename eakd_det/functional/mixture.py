"""Divergences to a mixture of teacher and student: Jensen-Shannon and the skewed ones."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.functional._inputs import Temperature, check_pair, soften
from eakd_det.functional.kd import kl_from_log


def jsd_divergence(
    student_logits: Tensor, teacher_logits: Tensor, tau: Temperature = 1.0, teacher_share: float = 0.5
) -> Tensor:
    r"""Compute the Jensen-Shannon divergence of each site, symmetric or skewed.

    .. math:: \mathrm{JSD}_n = \pi\, \mathrm{KL}(p_n \,\|\, m_n) + (1 - \pi)\, \mathrm{KL}(q_n \,\|\, m_n), \qquad
        m_n = \pi p_n + (1 - \pi) q_n

    with teacher :math:`p`, student :math:`q` at temperature :math:`\tau`. At :math:`\pi = 1/2` (as DSKD) it is bounded
    by :math:`\log 2`; DistiLLM's default is :math:`\pi = 0.1`. The mixture's logarithm comes from ``logaddexp``, where
    the published code takes the logarithm of a float32 sum that may have underflowed. No factor :math:`\tau^2`.

    Args:
        student_logits: The student's class scores, ``(R, C)``.
        teacher_logits: The teacher's, ``(R, C)``; no gradient reaches them.
        tau: Temperature of both softmaxes. Defaults to 1.0.
        teacher_share: The teacher's share :math:`\pi` of the mixture, between 0 and 1. Defaults to 0.5.

    Returns:
        Divergences in nats, ``(R,)``, float32 or better.

    Raises:
        ConfigError: If shapes or devices differ, or ``tau`` or ``teacher_share`` is out of range.

    Example:
        >>> import torch
        >>> jsd_divergence(torch.tensor([[99.0, 0.0]]), torch.tensor([[0.0, 99.0]]))
        tensor([0.6931])
    """
    share = _share('teacher_share', teacher_share)
    log_q, log_p = _log_probabilities(student_logits, teacher_logits, tau)
    log_m = _log_mix(log_p, log_q, share)
    return share * kl_from_log(log_p, log_m) + (1 - share) * kl_from_log(log_q, log_m)


def skld_divergence(
    student_logits: Tensor, teacher_logits: Tensor, tau: Temperature = 1.0, alpha: float = 0.1
) -> Tensor:
    r"""Compute the skewed Kullback-Leibler divergence of each site (DistiLLM; Ko et al., ICML 2024).

    .. math:: \mathrm{SKLD}_n = \mathrm{KL}\bigl(p_n \,\|\, \alpha p_n + (1 - \alpha) q_n\bigr) \le \log(1/\alpha)

    Gradients reach the student through the mixture. DistiLLM's code returns the cross entropy to the mixture, which is
    larger by the teacher's entropy and has the same gradient. No factor :math:`\tau^2`.

    Args:
        student_logits: The student's class scores, ``(R, C)``.
        teacher_logits: The teacher's, ``(R, C)``; no gradient reaches them.
        tau: Temperature of both softmaxes. Defaults to 1.0.
        alpha: The teacher's share of the mixture, between 0 and 1. Defaults to 0.1.

    Returns:
        Divergences in nats, ``(R,)``, float32 or better.

    Raises:
        ConfigError: If shapes or devices differ, or ``tau`` or ``alpha`` is out of range.

    Example:
        >>> import torch
        >>> skld_divergence(torch.tensor([[99.0, 0.0]]), torch.tensor([[0.0, 99.0]]))
        tensor([2.3026])
    """
    log_q, log_p = _log_probabilities(student_logits, teacher_logits, tau)
    return kl_from_log(log_p, _log_mix(log_p, log_q, _share('alpha', alpha)))


def srkld_divergence(
    student_logits: Tensor, teacher_logits: Tensor, tau: Temperature = 1.0, alpha: float = 0.1
) -> Tensor:
    r"""Compute the skewed reverse Kullback-Leibler divergence of each site (DistiLLM; Ko et al., ICML 2024).

    .. math:: \mathrm{SRKLD}_n = \mathrm{KL}\bigl(q_n \,\|\, (1 - \alpha) p_n + \alpha q_n\bigr) \le \log(1/\alpha)

    No factor :math:`\tau^2`.

    Args:
        student_logits: The student's class scores, ``(R, C)``.
        teacher_logits: The teacher's, ``(R, C)``; no gradient reaches them.
        tau: Temperature of both softmaxes. Defaults to 1.0.
        alpha: The student's share of the mixture, between 0 and 1. Defaults to 0.1.

    Returns:
        Divergences in nats, ``(R,)``, float32 or better.

    Raises:
        ConfigError: If shapes or devices differ, or ``tau`` or ``alpha`` is out of range.

    Example:
        >>> import torch
        >>> srkld_divergence(torch.tensor([[99.0, 0.0]]), torch.tensor([[0.0, 99.0]]))
        tensor([2.3026])
    """
    log_q, log_p = _log_probabilities(student_logits, teacher_logits, tau)
    return kl_from_log(log_q, _log_mix(log_q, log_p, _share('alpha', alpha)))


def _log_probabilities(student_logits: Tensor, teacher_logits: Tensor, tau: Temperature) -> tuple[Tensor, Tensor]:
    student, teacher = check_pair(student_logits, teacher_logits)
    return soften(student, tau).log_softmax(dim=1), soften(teacher, tau).log_softmax(dim=1)


def _log_mix(log_first: Tensor, log_second: Tensor, share: float) -> Tensor:
    """Return the logarithm of ``share * first + (1 - share) * second``."""
    return torch.logaddexp(log_first + math.log(share), log_second + math.log1p(-share))


def _share(name: str, value: float) -> float:
    if not 0 < value < 1:
        raise ConfigError(f'{name}: expected a number above 0 and below 1, but got {value!r}')
    return value
