"""Curriculum, temperature and choice of branch by the teacher's entropy.

EGAD (entropy-guided adaptive distillation) names these three and publishes no equations; the closed forms here and
all their numbers are this package's. Everything follows from the teacher, without gradient.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.functional._inputs import check_logits
from eakd_det.functional.entropy import entropy


@torch.no_grad()
def normalized_entropy(logits: Tensor, tau: float = 1.0) -> Tensor:
    r"""Compute the entropy as a share of its maximum, :math:`h_n = H_n / \log C`, from 0 (sure) to 1 (uniform).

    Args:
        logits: Class scores before softmax, ``(R, C)``.
        tau: Temperature of the entropy. Defaults to 1.0.

    Returns:
        Normalised entropies, ``(R,)``.

    Raises:
        ConfigError: If ``logits`` is not ``(R, C)`` floating point, or ``tau`` is not above 0.

    Example:
        >>> import torch
        >>> normalized_entropy(torch.tensor([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0]]))
        tensor([1.0000, 0.3337])
    """
    return (entropy(logits, tau) / math.log(check_logits(logits).shape[1])).clamp(max=1.0)


@torch.no_grad()
def curriculum_weight(teacher_logits: Tensor, progress: Tensor | float, tau: float = 1.0) -> Tensor:
    r"""Compute weights that move from sure to unsure sites during training (EGAD-inspired closed form of this package).

    .. math:: c_n = (1 - s)(1 - h_n) + s\, h_n

    Its mean is not fixed: the scale of the loss drifts with the progress :math:`s`.

    Args:
        teacher_logits: The teacher's class scores, ``(R, C)``.
        progress: Share :math:`s` of the training that is done, from 0 to 1.
        tau: Temperature of the entropy. Defaults to 1.0.

    Returns:
        Weights from 0 to 1, ``(R,)``.

    Raises:
        ConfigError: As :func:`normalized_entropy`.

    Example:
        >>> import torch
        >>> unsure_then_sure = torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]])
        >>> curriculum_weight(unsure_then_sure, progress=0.0)
        tensor([0.0000, 0.9978])
        >>> curriculum_weight(unsure_then_sure, progress=1.0)
        tensor([1.0000, 0.0022])
    """
    h = normalized_entropy(teacher_logits, tau)
    return (1 - progress) * (1 - h) + progress * h


@torch.no_grad()
def entropy_temperature(
    teacher_logits: Tensor,
    tau_min: float = 1.0,
    tau_max: float = 4.0,
    increasing: bool = True,
    entropy_tau: float = 1.0,
) -> Tensor:
    r"""Compute a temperature for each site from the teacher's entropy (EGAD-inspired closed form of this package).

    .. math:: \tau_n = \tau_{min} + (\tau_{max} - \tau_{min})\, h_n

    or, decreasing, with :math:`1 - h_n` in place of :math:`h_n`.

    Args:
        teacher_logits: The teacher's class scores, ``(R, C)``.
        tau_min: Lowest temperature. Defaults to 1.0.
        tau_max: Highest. Defaults to 4.0.
        increasing: Whether unsure sites get the higher ones. Defaults to True.
        entropy_tau: Temperature of the entropy. Defaults to 1.0.

    Returns:
        Temperatures, ``(R,)``, for the ``tau`` of a divergence.

    Raises:
        ConfigError: As :func:`normalized_entropy`.

    Example:
        >>> import torch
        >>> entropy_temperature(torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]))
        tensor([4.0000, 1.0067])
    """
    h = normalized_entropy(teacher_logits, entropy_tau)
    return tau_min + (tau_max - tau_min) * (h if increasing else 1 - h)


@torch.no_grad()
def hard_rows(
    teacher_logits: Tensor, threshold: float = 0.5, quantile: float | None = None, tau: float = 1.0
) -> Tensor:
    """Pick the sites on which the teacher is unsure, ``(R,)`` of 0 and 1 (EGAD-inspired choice of this package).

    Args:
        teacher_logits: The teacher's class scores, ``(R, C)``.
        threshold: Normalised entropy above which a site is hard. Defaults to 0.5.
        quantile: Take the threshold from the batch instead: its normalised entropies' quantile. Defaults to None.
        tau: Temperature of the entropy. Defaults to 1.0.

    Raises:
        ConfigError: As :func:`normalized_entropy`, or if ``quantile`` is not between 0 and 1.

    Example:
        >>> import torch
        >>> hard_rows(torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]))
        tensor([1., 0.])
    """
    h = normalized_entropy(teacher_logits, tau)
    if quantile is None:
        return (h > threshold).to(h.dtype)
    if not 0 <= quantile <= 1:
        raise ConfigError(f'quantile: expected a number from 0 to 1, but got {quantile!r}')
    return (h > h.quantile(quantile)).to(h.dtype) if h.numel() else h
