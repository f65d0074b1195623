"""Transformed teacher matching of sites."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from eakd_det.arguments import Positive, checked
from eakd_det.functional import Temperature, ttm_divergence
from eakd_det.losses.logit import LogitLoss


class TTMLoss(LogitLoss):
    r"""Divergence of the student from the teacher at a temperature, see :func:`eakd_det.functional.ttm_divergence`.

    With ``weighting=dict(type='eakd_det.PowerSumWeighting', tau=...)`` of the same ``tau`` this is WTTM. With
    :class:`eakd_det.weighting.EntropyWeighting` it is EA-TTM; no code is published for it, so EA's weight takes the
    place of WTTM's.

    Args:
        tau: Temperature of the teacher, the paper's :math:`1/\gamma`.
        **kwargs: As in :class:`LogitLoss`.

    Example:
        >>> import torch
        >>> loss = TTMLoss(tau=2.0, weighting=dict(type='PowerSumWeighting', tau=2.0))
        >>> loss(torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[4.0, 0.0, 0.0]]))
        tensor(0.1234)
    """

    @checked
    def __init__(self, tau: Positive | dict[str, Any] | nn.Module = 2.0, **kwargs: Any) -> None:
        super().__init__(tau, **kwargs)

    def divergence_at(self, tau: Temperature, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute TTM of each site, ``(N,)``."""
        return ttm_divergence(preds_S, preds_T, tau)
