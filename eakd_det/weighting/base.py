"""The base of every weighting."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ProposalWeighting(nn.Module):
    """The weight of each site's divergence, from raw logits and without gradient.

    Subclasses implement :meth:`weights`.
    """

    @torch.no_grad()
    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Weight the sites.

        Args:
            preds_S: The student's class scores, ``(R, C)``.
            preds_T: The teacher's, ``(R, C)``.

        Returns:
            Weights, ``(R,)``, float32 or better, without gradient.
        """
        return self.weights(preds_S, preds_T)

    def weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the weights, ``(R,)``; called without gradient."""
        raise NotImplementedError


def mean_one(weights: Tensor) -> Tensor:
    """Divide ``weights`` by their mean; zeros stay zeros.

    Example:
        >>> import torch
        >>> mean_one(torch.tensor([1.0, 3.0]))
        tensor([0.5000, 1.5000])
    """
    mean = weights.sum() / max(weights.numel(), 1)
    return weights / mean.clamp(min=torch.finfo(mean.dtype).tiny)
