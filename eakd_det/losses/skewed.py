"""Skewed Kullback-Leibler divergences of sites, forward and reverse."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from eakd_det.arguments import Fraction, Positive, checked
from eakd_det.functional import Temperature, skld_divergence, srkld_divergence
from eakd_det.losses.logit import LogitLoss


class SKLDLoss(LogitLoss):
    r"""Skewed divergence, see :func:`eakd_det.functional.skld_divergence`.

    .. math:: L = \lambda \cdot \frac{1}{R} \sum_n w_n\, \mathrm{KL}\bigl(p_n \,\|\, \alpha p_n + (1 - \alpha) q_n\bigr)

    Args:
        tau: Temperature of both softmaxes. Defaults to 1.0.
        alpha: Share of the first distribution in the mixture, between 0 and 1. Defaults to 0.1.
        **kwargs: ``standardize`` of :class:`LogitLoss`; ``weighting``, ``reduction``, ``loss_weight`` of
            :class:`ProposalLoss`.

    Raises:
        ConfigError: If an argument is out of range.

    Example:
        >>> import torch
        >>> SKLDLoss()(torch.tensor([[99.0, 0.0]]), torch.tensor([[0.0, 99.0]]))
        tensor(2.3026)
    """

    @checked
    def __init__(self, tau: Positive | dict[str, Any] | nn.Module = 1.0, alpha: Fraction = 0.1, **kwargs: Any) -> None:
        super().__init__(tau, **kwargs)
        self.alpha = alpha

    def divergence_at(
        self, tau: Temperature, preds_S: Tensor, preds_T: Tensor, gt_labels: Tensor | None = None
    ) -> Tensor:
        """Compute SKLD of each site, ``(N,)``, without labels."""
        return skld_divergence(preds_S, preds_T, tau, self.alpha)

    def extra_repr(self) -> str:
        """Return what ``print`` shows."""
        return f'alpha={self.alpha}, {super().extra_repr()}'


class SRKLDLoss(SKLDLoss):
    r"""Skewed reverse divergence, see :func:`eakd_det.functional.srkld_divergence`.

    .. math:: L = \lambda \cdot \frac{1}{R} \sum_n w_n\, \mathrm{KL}\bigl(q_n \,\|\, (1 - \alpha) p_n + \alpha q_n\bigr)

    Args:
        tau: As in :class:`SKLDLoss`. Defaults to 1.0.
        alpha: As there. Defaults to 0.1.
        **kwargs: As there.

    Raises:
        ConfigError: If an argument is out of range.

    Example:
        >>> import torch
        >>> SRKLDLoss()(torch.tensor([[99.0, 0.0]]), torch.tensor([[0.0, 99.0]]))
        tensor(2.3026)
    """

    def divergence_at(
        self, tau: Temperature, preds_S: Tensor, preds_T: Tensor, gt_labels: Tensor | None = None
    ) -> Tensor:
        """Compute SRKLD of each site, ``(N,)``, without labels."""
        return srkld_divergence(preds_S, preds_T, tau, self.alpha)
