"""MobileNetV2 as the backbone of an FPN, without the layers after the last output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmdet.models.backbones import MobileNetV2 as StockMobileNetV2
from torch import Tensor

from eakd_det.arguments import checked


class MobileNetV2(StockMobileNetV2):
    """MMDetection's MobileNetV2 without the layers after the last output.

    MMDetection runs the last 1x1 convolution (``conv2``, 320 to 1280 channels) even if it is not in ``out_indices``.
    That wastes time, and its parameters never get a gradient, which stops DDP. Here the layers after
    ``max(out_indices)`` exist, so that checkpoints load strictly in both classes, but they are frozen and never run.

    Args:
        out_indices: Layers that feed the neck, in ascending order. The default has strides 4, 8, 16 and 32 with 24, 32,
            96 and 320 channels, as in the published R50 to MobileNetV2 experiments.
        **kwargs: As in :class:`mmdet.models.backbones.MobileNetV2` (``widen_factor``, ``frozen_stages``, ``norm_cfg``,
            ``norm_eval``, ``init_cfg``, ...).

    Shape:
        - Input: ``(N, 3, H, W)``.
        - Output: tuple of ``(N, C_i, H / s_i, W / s_i)``, one per entry of ``out_indices``.

    Example:
        >>> import torch
        >>> trunk = MobileNetV2().eval()
        >>> [tuple(level.shape[1:]) for level in trunk(torch.zeros(1, 3, 64, 64))]
        [(24, 16, 16), (32, 8, 8), (96, 4, 4), (320, 2, 2)]
        >>> any(parameter.requires_grad for parameter in trunk.conv2.parameters())
        False
    """

    @checked
    def __init__(self, out_indices: Sequence[int] = (1, 2, 4, 6), **kwargs: Any) -> None:
        super().__init__(out_indices=out_indices, **kwargs)
        self._last = max(out_indices)
        self._freeze_unused()

    def _freeze_unused(self) -> None:
        for name in self.layers[self._last + 1 :]:
            layer = getattr(self, name)
            layer.eval()
            layer.requires_grad_(False)

    def _freeze_stages(self) -> None:
        super()._freeze_stages()
        self._freeze_unused()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the feature maps of the layers in ``out_indices``."""
        x = self.conv1(x)
        taps = []
        for index, name in enumerate(self.layers[: self._last + 1]):
            x = getattr(self, name)(x)
            if index in self.out_indices:
                taps.append(x)
        return tuple(taps)

    def train(self, mode: bool = True) -> MobileNetV2:
        """Set the mode and, unlike the stock class, return the module; frozen layers stay in eval mode."""
        super().train(mode)
        return self
