"""The base of every weighting."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from eakd_det.activation import Activation, ReadsScores
from eakd_det.arguments import checked, shown_arguments
from eakd_det.functional import binary_pairs, check_pair


class ProposalWeighting(ReadsScores):
    """Weights the divergence of each site, from raw logits and without gradient; subclasses define :meth:`weights`.

    Attributes:
        reads_labels: Whether :meth:`weights` has the class of each site, ``(R,)``, as its third argument.
    """

    reads_labels: ClassVar[bool] = False

    @torch.no_grad()
    def forward(self, preds_S: Tensor, preds_T: Tensor, gt_labels: Tensor | None = None) -> Tensor:
        """Return the weight of each site, ``(R,)``, in float32 or better, from class scores ``(R, C)``.

        Sigmoid scores may have a weight each, ``(R, C)``.
        """
        if self.reads_labels:
            return self.weights(preds_S, preds_T, gt_labels)
        if self.activation == 'sigmoid':
            return self.binary_weights(preds_S, preds_T)
        return self.weights(preds_S, preds_T)

    def weights(self, *args: Any) -> Tensor:
        """Compute the weights, ``(R,)``, from ``(preds_S, preds_T)``; called without gradient."""
        raise NotImplementedError

    def binary_weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the weight of each sigmoid score, ``(R, C)``, as of a softmax over two."""
        return self.weights(binary_pairs(preds_S), binary_pairs(preds_T)).unflatten(0, preds_S.shape)

    def why_not(self, activation: Activation) -> str | None:
        """Accept: what weighs a softmax weighs a softmax over two."""
        return None

    def extra_repr(self) -> str:
        """Return what ``print`` shows."""
        return shown_arguments(self)


class ObjectScoreWeighting(ProposalWeighting):
    """The largest of the values that the scores of the object classes have at a site.

    Subclasses define :meth:`compared`. Scores are those of a softmax without background, its last column, or sigmoids.

    Args:
        normalize: Divide by the mean over this process's sites. Defaults to False.
    """

    @checked
    def __init__(self, normalize: bool = False) -> None:
        super().__init__()
        self.normalize = normalize

    def compared(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the values, ``(N, K)``, from both networks' scores, ``(N, K)`` each."""
        raise NotImplementedError

    def weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the weight of each site, ``(N,)``, with background in the last column."""
        return self._largest(*(side.softmax(dim=1)[:, :-1] for side in check_pair(preds_S, preds_T)))

    def binary_weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the weight of each site, ``(N,)``, of sigmoid scores."""
        return self._largest(*(side.sigmoid() for side in check_pair(preds_S, preds_T, columns=1)))

    def _largest(self, student: Tensor, teacher: Tensor) -> Tensor:
        weights = self.compared(student, teacher).amax(dim=1)
        return mean_one(weights) if self.normalize else weights


def mean_one(weights: Tensor) -> Tensor:
    """Divide ``weights`` by their mean; zeros stay zeros.

    Example:
        >>> import torch
        >>> mean_one(torch.tensor([1.0, 3.0]))
        tensor([0.5000, 1.5000])
    """
    mean = weights.sum() / max(weights.numel(), 1)
    return weights / mean.clamp(min=torch.finfo(mean.dtype).tiny)
