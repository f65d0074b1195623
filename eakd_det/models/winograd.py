"""3 x 3 convolutions by Winograd's minimal filtering: a quarter of the multiplications, on a CPU."""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn

_LEAST_CHANNELS = 256  # with fewer the transforms cost more than they save
_LEAST_PIXELS = 1024
_TILE_ROWS = 8  # at a time: their transforms stay in the cache


class WinogradConv2d(nn.Conv2d):
    """A convolution that computes large 3 x 3 cases in float32 on a CPU as :func:`winograd_conv3x3`."""

    def forward(self, input: Tensor) -> Tensor:
        """Convolve ``input`` ``(N, C, H, W)``."""
        large = input.shape[0] * input.shape[2] * input.shape[3] >= _LEAST_PIXELS
        if large and input.device.type == 'cpu' and input.dtype == torch.float32 and not _under_autocast():
            return winograd_conv3x3(input, self.weight, self.bias)
        return super().forward(input)


def use_winograd(model: nn.Module) -> None:
    """Let the wide 3 x 3 convolutions of ``model`` with stride 1 run by Winograd; parameters and names stay.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(256, 256, 3, padding=1), nn.Conv2d(3, 8, 3, padding=1))
        >>> use_winograd(model)
        >>> [type(layer).__name__ for layer in model]
        ['WinogradConv2d', 'Conv2d']
    """
    for module in model.modules():
        if type(module) is nn.Conv2d and _fits(module):
            module.__class__ = WinogradConv2d


def winograd_conv3x3(images: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    r"""Convolve with 3 x 3 kernels, stride 1 and padding 1, as F(4 x 4, 3 x 3).

    Each tile of 4 x 4 outputs costs 36 multiplications for every pair of channels instead of 144:

    .. math:: Y = A^\top \left[ (G\, g\, G^\top) \odot (B^\top d\, B) \right] A

    The sums differ from a direct convolution's by about 1e-5 of the largest output in float32.

    Args:
        images: ``(N, C, H, W)``; fastest on channels-last memory, which the result has.
        weight: ``(O, C, 3, 3)``.
        bias: ``(O,)``.

    Returns:
        ``(N, O, H, W)``, differentiable in all three.

    Source: Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016, section 4.3.

    Example:
        >>> images, weight = torch.ones(1, 1, 5, 5), torch.ones(1, 1, 3, 3)
        >>> winograd_conv3x3(images, weight)[0, 0, :2].round().tolist()
        [[4.0, 6.0, 6.0, 6.0, 4.0], [6.0, 9.0, 9.0, 9.0, 6.0]]
    """
    count, channels, height, width = images.shape
    tiles_y, tiles_x = -(-height // 4), -(-width // 4)
    padding = (0, 0, 1, 4 * tiles_x + 1 - width, 1, 4 * tiles_y + 1 - height)
    padded = nn.functional.pad(images.permute(0, 2, 3, 1), padding)
    of_input, of_weight, of_output = _transforms(images.dtype)
    filters = (of_weight @ weight.permute(2, 3, 1, 0).reshape(9, -1)).view(36, channels, -1)
    strips = []
    for row in range(0, tiles_y, _TILE_ROWS):
        rows = min(_TILE_ROWS, tiles_y - row)
        tiles = padded[:, 4 * row : 4 * (row + rows) + 2].unfold(1, 6, 4).unfold(2, 6, 4)
        spectra = of_input @ tiles.permute(4, 5, 0, 1, 2, 3).reshape(36, -1)
        products = torch.bmm(spectra.view(36, -1, channels), filters)
        outputs = (of_output @ products.view(36, -1)).view(4, 4, count, rows, tiles_x, -1)
        strips.append(outputs.permute(2, 3, 0, 4, 1, 5).reshape(count, 4 * rows, 4 * tiles_x, -1))
    result = torch.cat(strips, 1)[:, :height, :width]
    return (result.contiguous() if bias is None else result + bias).permute(0, 3, 1, 2)


def _fits(layer: nn.Conv2d) -> bool:
    shape = (layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.groups, layer.padding_mode)
    wide = min(layer.in_channels, layer.out_channels) >= _LEAST_CHANNELS
    return wide and shape == ((3, 3), (1, 1), (1, 1), (1, 1), 1, 'zeros')


def _under_autocast() -> bool:
    try:
        return torch.is_autocast_enabled('cpu')
    except TypeError:  # torch < 2.4
        return torch.is_autocast_cpu_enabled()


@functools.cache
def _transforms(dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """The transforms of input ``(36, 36)``, weight ``(36, 9)`` and output ``(16, 36)``, for flattened tiles."""
    of_input = [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
    of_weight = [[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]
    of_output = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]]
    flat = [torch.tensor(rows, dtype=torch.float64) for rows in (of_input, of_weight, of_output)]
    flat[1] /= 24
    first, second, third = (torch.kron(matrix, matrix).to(dtype) for matrix in flat)
    return first, second, third
