"""Weights for the control experiments of entropy weighting."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from eakd_det.activation import Activation
from eakd_det.arguments import checked
from eakd_det.weighting.entropy import EntropyWeighting


class MeanMatchedWeighting(EntropyWeighting):
    r"""Each site gets the mean of the weights that :class:`EntropyWeighting` would give.

    .. math:: w_n = \frac{1}{|G_n|} \sum_{m \in G_n} w^{ea}_m

    where the group :math:`G_n` is all sites. The mean weight is EA's, but no site is preferred. If this does as well as
    EA, the gain came from a larger loss weight. (EA's loss is larger still, because its weight is large where the
    divergence is.) With ``by_background`` there are two groups, the sites that the teacher classifies as background and
    the others: background loses as much weight as under EA, but no site is preferred within a group. Like the loss,
    the means are over the sites of this process.

    Args:
        by_background: Take separate means over the sites that the teacher classifies as ``background``, and over the
            others.
        **kwargs: As in :class:`EntropyWeighting`. With ``normalize=True`` and one group the weights are all 1.

    Example:
        >>> import torch
        >>> weighting = MeanMatchedWeighting(tau=1.0)
        >>> weighting(torch.zeros(2, 3), torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]))
        tensor([0.5505, 0.5505])
    """

    @checked
    def __init__(self, by_background: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.by_background = by_background

    def weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the weight of each site, ``(N,)``, the same within a group."""
        weights = super().weights(preds_S, preds_T)
        if not self.by_background:
            return _mean(weights, torch.ones_like(weights)).expand_as(weights)
        column = self._background_of(preds_T.shape[1], 'by_background')
        background = (preds_T.argmax(dim=1) == column).to(weights)
        objects = 1 - background
        return background * _mean(weights, background) + objects * _mean(weights, objects)

    def why_not(self, activation: Activation) -> str | None:
        """Refuse groups that need a column of background."""
        if activation == 'sigmoid' and self.by_background:
            return 'with by_background needs a column of background'
        return super().why_not(activation)


def _mean(weights: Tensor, members: Tensor) -> Tensor:
    """Return the mean weight of the rows that are 1 in ``members``; 0 if there are none."""
    return (weights * members).sum() / members.sum().clamp(min=1)
