"""Reverse Kullback-Leibler divergence of sites."""

from __future__ import annotations

from torch import Tensor

from eakd_det.functional import Temperature, rkld_divergence
from eakd_det.losses.logit import LogitLoss


class RKLDLoss(LogitLoss):
    r"""Reverse divergence, see :func:`eakd_det.functional.rkld_divergence`.

    .. math:: L = \lambda \cdot \frac{1}{R} \sum_n w_n\, \mathrm{KL}(q_n \,\|\, p_n)

    With ``weighting=dict(type='eakd_det.EntropyWeighting')`` this is EA-RKLD. EA-KD's text reweights language model
    losses per sequence and gives no formula; per site is this package's reading.

    Args:
        tau: Temperature of both softmaxes. Defaults to 1.0.
        **kwargs: ``standardize`` of :class:`LogitLoss`; ``weighting``, ``reduction``, ``loss_weight`` of
            :class:`ProposalLoss`.

    Raises:
        ConfigError: If an argument is out of range.

    Example:
        >>> import torch
        >>> RKLDLoss()(torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[2.0, 0.0, 0.0]]))
        tensor(0.1120)
    """

    def divergence_at(
        self, tau: Temperature, preds_S: Tensor, preds_T: Tensor, gt_labels: Tensor | None = None
    ) -> Tensor:
        """Compute RKLD of each site, ``(N,)``, without labels."""
        return rkld_divergence(preds_S, preds_T, tau)
