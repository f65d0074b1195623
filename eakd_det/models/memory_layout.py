"""Channels-last memory on a CPU."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import torch
from mmcv.ops import RoIAlign
from torch import Tensor, nn

from eakd_det.mm.ops.roi_align import roi_align

LEAST_PIXELS = 2**17  # in a batch; ResNets with fewer were up to 10 % slower on channels-last memory


class AnyLayoutRoIAlign(RoIAlign):
    """MMCV's RoIAlign for maps in any memory layout.

    MMCV's kernel reads all memory as channels-first, so channels-last maps go to
    :func:`eakd_det.mm.ops.roi_align.roi_align`, which reads them in place.
    """

    def forward(self, input: Tensor, rois: Tensor) -> Tensor:
        """Pool ``rois``, ``(R, 5)``, from ``input``, ``(N, C, H, W)``, to ``(R, C, height, width)``."""
        if self.pool_mode != 'avg' or not _is_channels_last(input):
            return super().forward(input.contiguous(), rois)
        return roi_align(input, rois, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned)


def accept_any_layout(detector: nn.Module) -> None:
    """Let the RoIAlign layers of ``detector`` read any memory layout; channels-first results do not change.

    Example:
        >>> layer = nn.Sequential(RoIAlign(1))
        >>> accept_any_layout(layer)
        >>> maps = torch.arange(16.0).view(1, 4, 2, 2).contiguous(memory_format=torch.channels_last)
        >>> layer[0](maps, torch.tensor([[0.0, 0, 0, 2, 2]])).flatten()
        tensor([ 1.5000,  5.5000,  9.5000, 13.5000])
    """
    for module in detector.modules():
        if type(module) is RoIAlign:
            module.__class__ = AnyLayoutRoIAlign


def train_channels_last(detector: nn.Module, channels_last: bool | None = None) -> None:
    """Make ``detector`` run on channels-last memory in training.

    None does so where it is faster: on a CPU with AVX-512, for batches that :func:`arrange` finds large enough. Without
    AVX-512 the forward pass may be a quarter faster, but the backward pass of a 3 x 3 convolution of 256 channels took
    three times as long (docs/speed.md), so that nothing changes.

    Losses and gradients change by rounding (about 1e-5), because sums run in another order. Parameters, checkpoints and
    a detector in eval mode do not change.
    """
    if channels_last is None and torch.backends.cpu.get_cpu_capability() != 'AVX512':
        return
    accept_any_layout(detector)
    detector.get_submodule('backbone').register_forward_pre_hook(functools.partial(_arrange_input, channels_last))


def prefers_channels_first(detector: nn.Module, recorded: Iterable[str]) -> bool:
    """Return whether ``detector`` may have parts that cannot read channels-last maps.

    These are MMCV's other kernels, such as deformable convolution, and losses on feature maps, which have a source such
    as 'neck' or 'backbone.layer4' in ``recorded``.
    """
    kernels = any(type(module).__module__.startswith('mmcv.ops.') for module in detector.modules())
    return kernels or any(source.split('.')[0] in ('backbone', 'neck') for source in recorded)


def arrange(images: Tensor, channels_last: bool | None) -> Tensor:
    """Return ``images``, ``(N, 3, H, W)``, in the memory layout to run on.

    None is channels-last where that is faster: on a CPU, for batches of 131,072 pixels or more (one image of 362 x
    362). The output of a convolution has the layout of its input.

    Example:
        >>> arrange(torch.zeros(2, 3, 256, 256), None).is_contiguous(memory_format=torch.channels_last)
        True
    """
    if channels_last is None:
        channels_last = images.device.type == 'cpu' and images[:, 0].numel() >= LEAST_PIXELS
    return images.contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)


def _arrange_input(channels_last: bool | None, backbone: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    return (arrange(inputs[0], channels_last), *inputs[1:]) if backbone.training else inputs


def _is_channels_last(maps: Tensor) -> bool:
    return maps.is_contiguous(memory_format=torch.channels_last) and not maps.is_contiguous()
