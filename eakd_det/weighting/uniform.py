"""The same weight for every site."""

from __future__ import annotations

import torch
from torch import Tensor

from eakd_det.functional._inputs import to_float
from eakd_det.weighting.base import ProposalWeighting


class UniformWeighting(ProposalWeighting):
    """Weight 1 for each site: plain distillation.

    Example:
        >>> import torch
        >>> UniformWeighting()(torch.zeros(2, 3), torch.zeros(2, 3))
        tensor([1., 1.])
    """

    def weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Return ones, ``(R,)``."""
        return torch.ones_like(to_float(preds_S[:, 0]))

    def binary_weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Ones, ``(R,)``."""
        return self.weights(preds_S, preds_T)
