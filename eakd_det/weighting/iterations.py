"""A counter of training iterations, for what changes during training."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class IterationCounter(nn.Module):
    """Counts the training iterations of whatever owns it, in a buffer that checkpoints keep.

    Args:
        total: Number of iterations that are all of it, above 0.

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
        """Return the iterations counted over all of them, at most 1; stays on the device."""
        return (self.count / self.total).clamp(max=1.0)

    def extra_repr(self) -> str:
        """Return what ``print`` shows."""
        return f'total={self.total}'
