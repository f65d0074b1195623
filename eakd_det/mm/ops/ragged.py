"""Rows of different lengths in one flat tensor."""

from __future__ import annotations

import torch
from torch import Tensor


def starts_of(counts: Tensor) -> Tensor:
    """Return the start of each row, for consecutive rows of ``counts`` items.

    Example:
        >>> starts_of(torch.tensor([2, 0, 3]))
        tensor([0, 2, 2])
    """
    return counts.cumsum(0) - counts


def unroll(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Return the row of each item and its index in that row.

    Example:
        >>> unroll(torch.tensor([2, 0, 3]))
        (tensor([0, 0, 2, 2, 2]), tensor([0, 1, 0, 1, 2]))
    """
    row = torch.arange(len(counts), device=counts.device).repeat_interleave(counts)
    return row, torch.arange(len(row), device=counts.device) - starts_of(counts)[row]


def parts(counts: Tensor, most: int) -> list[slice]:
    """Split rows of ``counts`` items into runs that hold at most ``most`` items, or a single row that holds more.

    Example:
        >>> parts(torch.tensor([2, 1, 9, 3]), most=4)
        [slice(0, 2, None), slice(2, 3, None), slice(3, 4, None)]
    """
    ends, total = [], 0
    if int(counts.sum()) > most:
        for row, count in enumerate(counts.tolist()):
            if total and total + count > most:
                ends.append(row)
                total = 0
            total += count
    return [slice(begin, end) for begin, end in zip([0, *ends], [*ends, len(counts)], strict=True)]
