"""A counter of training iterations, for weights and temperatures that change during training."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class IterationCounter(nn.Module):
    """Counts training iterations in a buffer that checkpoints keep.

    Args:
        total: Number of iterations at which :meth:`progress` is 1.

    Example:
        >>> counter = IterationCounter(4)
        >>> counter.advance()
        >>> counter.progress()
        tensor(0.2500)
    """

    count: Tensor

    def __init__(self, total: int) -> None:
        super().__init__()
        self.total = total
        self.register_buffer('count', torch.zeros((), dtype=torch.int64))

    def advance(self) -> None:
        """Count one iteration, unless in eval mode."""
        if self.training:
            self.count += 1

    def progress(self) -> Tensor:
        """Return the counted fraction of ``total``, at most 1, a scalar on the device."""
        return (self.count / self.total).clamp(max=1.0)
