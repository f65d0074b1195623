"""Counting training iterations, for what changes while training goes on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from eakd_det.errors import ConfigError


class IterationCounter(nn.Module):
    """Counts the training iterations of whatever owns it, in a buffer that checkpoints keep.

    Args:
        key: The config key of ``total``, for messages.
        total: Number of iterations that are all of it.

    Raises:
        ConfigError: If ``total`` is not an integer above 0.

    Example:
        >>> counter = IterationCounter('total_iters', 4)
        >>> counter.advance()
        >>> counter.progress()
        tensor(0.2500)
    """

    count: Tensor

    def __init__(self, key: str, total: int) -> None:
        super().__init__()
        if isinstance(total, bool) or not isinstance(total, int) or total <= 0:
            raise ConfigError(f'{key}: expected a number of iterations, an integer > 0, but got {total!r}')
        self.total = total
        self.register_buffer('count', torch.zeros((), dtype=torch.int64))

    def advance(self) -> None:
        """Count one iteration, unless in eval mode."""
        if self.training:
            self.count += 1

    def progress(self) -> Tensor:
        """Iterations counted over all of them, from 0 to 1 and no further; stays on the device."""
        return (self.count / self.total).clamp(max=1.0)

    def extra_repr(self) -> str:
        """What ``print`` shows."""
        return f'total={self.total}'
