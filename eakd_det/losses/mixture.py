"""Divergences of sites from a mixture of teacher and student: Jensen-Shannon and the skewed ones."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from eakd_det.arguments import Fraction, Positive, checked
from eakd_det.functional import Temperature, jsd_divergence, skld_divergence, srkld_divergence
from eakd_det.losses.logit import LogitLoss


class JSDLoss(LogitLoss):
    r"""Jensen-Shannon divergence, see :func:`eakd_det.functional.jsd_divergence`.

    Args:
        tau: Temperature of both softmaxes.
        teacher_share: Weight :math:`\pi` of the teacher in the mixture: 0.5 as DSKD, 0.1 as DistiLLM's default.
        **kwargs: As in :class:`LogitLoss`.

    Example:
        >>> import torch
        >>> JSDLoss()(torch.tensor([[99.0, 0.0]]), torch.tensor([[0.0, 99.0]]))
        tensor(0.6931)
    """

    @checked
    def __init__(
        self, tau: Positive | dict[str, Any] | nn.Module = 1.0, teacher_share: Fraction = 0.5, **kwargs: Any
    ) -> None:
        super().__init__(tau, **kwargs)
        self.teacher_share = teacher_share

    def divergence_at(self, tau: Temperature, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute JSD of each site, ``(N,)``."""
        return jsd_divergence(preds_S, preds_T, tau, self.teacher_share)


class SKLDLoss(LogitLoss):
    r"""Skewed Kullback-Leibler divergence, see :func:`eakd_det.functional.skld_divergence`.

    Args:
        tau: Temperature of both softmaxes.
        alpha: Weight of the first distribution in the mixture.
        **kwargs: As in :class:`LogitLoss`.

    Example:
        >>> import torch
        >>> SKLDLoss()(torch.tensor([[99.0, 0.0]]), torch.tensor([[0.0, 99.0]]))
        tensor(2.3026)
    """

    @checked
    def __init__(self, tau: Positive | dict[str, Any] | nn.Module = 1.0, alpha: Fraction = 0.1, **kwargs: Any) -> None:
        super().__init__(tau, **kwargs)
        self.alpha = alpha

    def divergence_at(self, tau: Temperature, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute SKLD of each site, ``(N,)``."""
        return skld_divergence(preds_S, preds_T, tau, self.alpha)


class SRKLDLoss(SKLDLoss):
    r"""Skewed reverse divergence, see :func:`eakd_det.functional.srkld_divergence`; arguments as :class:`SKLDLoss`.

    Example:
        >>> import torch
        >>> SRKLDLoss()(torch.tensor([[99.0, 0.0]]), torch.tensor([[0.0, 99.0]]))
        tensor(2.3026)
    """

    def divergence_at(self, tau: Temperature, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute SRKLD of each site, ``(N,)``."""
        return srkld_divergence(preds_S, preds_T, tau, self.alpha)
