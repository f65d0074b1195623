"""Convolutions that convert one network's pyramid to the other's width and statistics."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class FeatureBridges(nn.Module):
    r"""A convolution and BatchNorm for each level, without activation.

    .. math:: b_l = \mathrm{BN}_l(\mathrm{conv}_l(f_l))

    FCFD's are 3 x 3, those of FitNet and OFD 1 x 1.

    Args:
        in_channels: Width of the input levels.
        out_channels: Width of the output levels.
        num_levels: Number of levels, from the finest.
        kernel_size: Size of the convolutions, odd. Defaults to 3.

    Example:
        >>> import torch
        >>> [tuple(level.shape) for level in FeatureBridges(8, 16, 1)([torch.randn(2, 8, 6, 9)])]
        [(2, 16, 6, 9)]
    """

    def __init__(self, in_channels: int, out_channels: int, num_levels: int, kernel_size: int = 3) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.levels = nn.ModuleList(_bridge(in_channels, out_channels, kernel_size) for _ in range(num_levels))

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Return the converted levels; levels beyond the last bridge are dropped."""
        dtype = next(self.parameters()).dtype  # a teacher may run in half precision outside autocast
        return [bridge(level.to(dtype)) for bridge, level in zip(self.levels, features, strict=False)]


def _bridge(in_channels: int, out_channels: int, kernel_size: int) -> nn.Sequential:
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode='fan_out', nonlinearity='relu')
    return nn.Sequential(conv, nn.BatchNorm2d(out_channels))
