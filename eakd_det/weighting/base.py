"""The base of every weighting."""

from __future__ import annotations

import torch
from torch import Tensor

from eakd_det.activation import ReadsScores
from eakd_det.functional import binary_pairs


class ProposalWeighting(ReadsScores):
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
            Weights, ``(R,)``, or ``(R, C)`` of sigmoid scores, float32 or better, without gradient.
        """
        if self.activation == 'sigmoid':
            return self.binary_weights(preds_S, preds_T)
        return self.weights(preds_S, preds_T)

    def weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the weights, ``(R,)``; called without gradient."""
        raise NotImplementedError

    def binary_weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the weight of each sigmoid score, ``(R, C)``, as of a softmax over two."""
        return self.weights(binary_pairs(preds_S), binary_pairs(preds_T)).unflatten(0, preds_S.shape)

    def why_not_sigmoid(self) -> str | None:
        """Accept: what weighs a softmax weighs a softmax over two."""
        return None


def mean_one(weights: Tensor) -> Tensor:
    """Divide ``weights`` by their mean; zeros stay zeros.

    Example:
        >>> import torch
        >>> mean_one(torch.tensor([1.0, 3.0]))
        tensor([0.5000, 1.5000])
    """
    mean = weights.sum() / max(weights.numel(), 1)
    return weights / mean.clamp(min=torch.finfo(mean.dtype).tiny)
