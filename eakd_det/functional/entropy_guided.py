"""Curriculum, temperature and choice of branch by the teacher's entropy.

EGAD (entropy-guided adaptive distillation) names these three and publishes no equations; the closed forms and all
numbers here are this package's. All of them depend on one network alone, as a rule the teacher, and have no gradient.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.functional._inputs import check_logits, soften
from eakd_det.functional.entropy import entropy

Uncertainty: TypeAlias = Literal['entropy', 'confidence', 'margin']


@torch.no_grad()
def normalized_entropy(logits: Tensor, tau: float = 1.0) -> Tensor:
    r"""Compute the normalised entropy :math:`h_n = H_n / \log C`, from 0 (one-hot) to 1 (uniform).

    Example:
        >>> import torch
        >>> normalized_entropy(torch.tensor([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0]]))
        tensor([1.0000, 0.3337])
    """
    return (entropy(logits, tau) / math.log(check_logits(logits).shape[1])).clamp(max=1.0)


@torch.no_grad()
def curriculum_weight(teacher_logits: Tensor, progress: Tensor | float, tau: float = 1.0) -> Tensor:
    r"""Compute weights that move from certain to uncertain sites during training.

    .. math:: c_n = (1 - s)(1 - h_n) + s\, h_n

    Their mean is not fixed: the scale of the loss drifts with the progress :math:`s`.

    Args:
        teacher_logits: The teacher's class scores, ``(R, C)``.
        progress: Fraction :math:`s` of the training that is done, from 0 to 1.
        tau: Temperature of the entropy.

    Example:
        >>> import torch
        >>> uncertain_then_certain = torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]])
        >>> curriculum_weight(uncertain_then_certain, progress=0.0)
        tensor([0.0000, 0.9978])
        >>> curriculum_weight(uncertain_then_certain, progress=1.0)
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
    r"""Compute a temperature for each site from the teacher's entropy.

    .. math:: \tau_n = \tau_{min} + (\tau_{max} - \tau_{min})\, h_n

    or, decreasing, with :math:`1 - h_n` in place of :math:`h_n`.

    Args:
        teacher_logits: The teacher's class scores, ``(R, C)``.
        tau_min: Lowest temperature.
        tau_max: Highest temperature.
        increasing: Whether uncertain sites get the higher temperatures.
        entropy_tau: Temperature of the entropy.

    Example:
        >>> import torch
        >>> entropy_temperature(torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]))
        tensor([4.0000, 1.0067])
    """
    h = normalized_entropy(teacher_logits, entropy_tau)
    return tau_min + (tau_max - tau_min) * (h if increasing else 1 - h)


@torch.no_grad()
def uncertainty(logits: Tensor, measure: Uncertainty = 'entropy', tau: float = 1.0) -> Tensor:
    r"""Compute how uncertain each site's prediction is, from 0 (one-hot) to at most 1.

    .. math:: h_n = \frac{H_n}{\log C}, \qquad 1 - \max_c p_{nc}, \qquad 1 - (p_{n(1)} - p_{n(2)})

    for 'entropy', 'confidence' and 'margin', the latter with the two largest probabilities.

    Args:
        logits: Class scores, ``(R, C)``.
        measure: 'entropy', 'confidence' or 'margin'. Defaults to 'entropy'.
        tau: Temperature of the softmax.

    Raises:
        ConfigError: If ``measure`` is unknown, or the inputs are invalid.

    Example:
        >>> import torch
        >>> logits = torch.tensor([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0]])
        >>> uncertainty(logits, 'confidence'), uncertainty(logits, 'margin')
        (tensor([0.6667, 0.0906]), tensor([1.0000, 0.1358]))
    """
    if measure == 'entropy':
        return normalized_entropy(logits, tau)
    if measure not in get_args(Uncertainty):
        raise ConfigError(f'measure: expected one of {", ".join(get_args(Uncertainty))}, but got {measure!r}')
    top = soften(check_logits(logits), tau).softmax(dim=1).topk(2, dim=1).values
    return 1 - (top[:, 0] if measure == 'confidence' else top[:, 0] - top[:, 1])


@torch.no_grad()
def hard_rows(
    logits: Tensor,
    threshold: float = 0.5,
    quantile: float | None = None,
    tau: float = 1.0,
    measure: Uncertainty = 'entropy',
) -> Tensor:
    """Select the sites on which a network is uncertain, ``(R,)`` of 0 and 1.

    Args:
        logits: The network's class scores, ``(R, C)``.
        threshold: Uncertainty above which a site is hard.
        quantile: Take the threshold from the batch instead, as this quantile of its uncertainties.
        tau: Temperature of the softmax.
        measure: See :func:`uncertainty`.

    Raises:
        ConfigError: If ``quantile`` is not from 0 to 1, or the inputs are invalid.

    Example:
        >>> import torch
        >>> hard_rows(torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]))
        tensor([1., 0.])
    """
    h = uncertainty(logits, measure, tau)
    if quantile is None:
        return (h > threshold).to(h.dtype)
    if not 0 <= quantile <= 1:
        raise ConfigError(f'quantile: expected a number from 0 to 1, but got {quantile!r}')
    return (h > h.quantile(quantile)).to(h.dtype) if h.numel() else h
