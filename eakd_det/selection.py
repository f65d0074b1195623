"""Evenly spaced channels of a wider network."""

from __future__ import annotations

import torch
from torch import Tensor


def select_elements(tensor: Tensor, size: int, dim: int, block: int = 1) -> Tensor:
    """Return ``size`` evenly spaced elements of ``tensor`` along ``dim``.

    This is the uniform element selection of "Initializing Models with Larger Ones" (Xu et al., ICLR 2024). Positions
    depend on the two sizes alone, so that outputs of a layer and inputs of the next select the same channels.

    Args:
        tensor: A tensor of a wider layer.
        size: The new length of ``dim``, at most the present one.
        dim: The dimension of channels.
        block: Consecutive elements that belong to one channel, such as the 7 x 7 positions of a flattened RoI.

    Example:
        >>> select_elements(torch.arange(6), 3, 0), select_elements(torch.arange(8), 4, 0, block=2)
        (tensor([0, 2, 4]), tensor([0, 1, 4, 5]))
    """
    given, wanted = tensor.shape[dim] // block, size // block
    if given % wanted:
        channels = torch.linspace(0, given - 1, wanted).round().long()
    else:
        channels = torch.arange(wanted) * (given // wanted)
    index = (channels.unsqueeze(1) * block + torch.arange(block)).flatten()
    return tensor.index_select(dim, index.to(tensor.device))
