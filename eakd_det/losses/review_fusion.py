"""The fusion modules of ReviewKD, which fuse each level of the student with the coarser ones."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from eakd_det.errors import ConfigError


class AttentionFusion(nn.Module):
    r"""Attention-based fusion of a pyramid level with the coarser ones (Chen et al., CVPR 2021).

    .. math::
        x = \mathrm{BN}(\mathrm{conv}_{1\times1}(s)), \quad y = \mathrm{upsample}(r), \quad
        (g_1, g_2) = \sigma(\mathrm{conv}_{1\times1}([x; y])), \quad r' = g_1 x + g_2 y, \quad
        o = \mathrm{BN}(\mathrm{conv}_{3\times3}(r'))

    Args:
        in_channels: Width of the student's level.
        mid_channels: Width of the residual that passes from level to level.
        out_channels: Width of the teacher's level.
        is_coarsest: Whether this is the coarsest level, which has no gate.
    """

    def __init__(self, in_channels: int, mid_channels: int, out_channels: int, is_coarsest: bool = False) -> None:
        super().__init__()
        self.in_channels = in_channels
        reduce = nn.Conv2d(in_channels, mid_channels, 1, bias=False)
        expand = nn.Conv2d(mid_channels, out_channels, 3, padding=1, bias=False)
        for conv in (reduce, expand):
            nn.init.kaiming_uniform_(conv.weight, a=1)
        self.reduce = nn.Sequential(reduce, nn.BatchNorm2d(mid_channels))
        self.expand = nn.Sequential(expand, nn.BatchNorm2d(out_channels))
        self.gates = None if is_coarsest else nn.Conv2d(2 * mid_channels, 2, 1)

    def fuse(self, features: Tensor, residual: Tensor) -> Tensor:
        """Return ``g1 * features + g2 * upsampled residual``, ``(N, mid_channels, H, W)``."""
        if self.gates is None:
            return features
        residual = interpolate(residual, features.shape[-2:], mode='nearest')
        first, second = self.gates(torch.cat([features, residual], dim=1)).sigmoid().split(1, dim=1)
        return features * first + residual * second

    def forward(self, features: Tensor, residual: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the level to compare, ``(N, out_channels, H, W)``, and the residual for the next finer level.

        Args:
            features: The student's level, ``(N, in_channels, H, W)``.
            residual: From the next coarser level, ``(N, mid_channels, h, w)``; None for the coarsest.
        """
        if features.shape[1] != self.in_channels:
            raise ConfigError(
                f'ReviewKDLoss.student_channels: expected {features.shape[1]}, the width of features_S, '
                f'but got {self.in_channels}'
            )
        fused = self.reduce(features)
        if residual is not None:
            fused = self.fuse(fused, residual)
        return self.expand(fused), fused


class ReviewFusion(nn.Module):
    """Fusion of a whole pyramid, from coarse to fine.

    Args:
        in_channels: Width of the student's levels.
        out_channels: Width of the teacher's.
        mid_channels: Width of the residual that passes from level to level.
        num_levels: Number of levels.

    Example:
        >>> import torch
        >>> fusion = ReviewFusion(8, 16, mid_channels=4, num_levels=2)
        >>> [tuple(level.shape) for level in fusion([torch.randn(2, 8, 6, 9), torch.randn(2, 8, 3, 5)])]
        [(2, 16, 6, 9), (2, 16, 3, 5)]
    """

    def __init__(self, in_channels: int, out_channels: int, mid_channels: int = 256, num_levels: int = 5) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            AttentionFusion(in_channels, mid_channels, out_channels, is_coarsest=level == num_levels - 1)
            for level in range(num_levels)
        )

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Return the fused levels, fine to coarse."""
        fused: list[Tensor] = []
        residual: Tensor | None = None
        for level, maps in zip(reversed(self.levels), reversed(features), strict=True):
            output, residual = level(maps, residual)
            fused.append(output)
        return fused[::-1]
