"""Deformable convolution, with and without modulation."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from eakd_det.mm.ops.torchvision_kernels import torchvision_ops


def deform_conv2d(
    features: Tensor,
    offset: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] = (0, 0),
    dilation: tuple[int, int] = (1, 1),
    mask: Tensor | None = None,
) -> Tensor:
    r"""Convolve ``features`` at positions shifted by ``offset``, times ``mask``.

    .. math:: out_{n,o}(q) = \sum_{c,k} weight_{o,c,k}\ mask_{n,k}(q)\
              \mathrm{bilinear}(features_{n,c},\ q \cdot stride - padding + k \cdot dilation + offset_{n,k}(q))

    Values outside the map are zero. The kernel is torchvision's if torchvision loads, else one
    :func:`torch.nn.functional.grid_sample` for all positions of the kernel.

    Shapes: features ``(N, C_in, H, W)``, offset ``(N, 2 G kh kw, H_out, W_out)`` in pixels for ``G`` groups of channels
    (y before x), weight ``(C_out, C_in / groups, kh, kw)``, bias ``(C_out,)``, mask ``(N, G kh kw, H_out, W_out)`` or
    None for 1 everywhere; the result is ``(N, C_out, H_out, W_out)``.

    Source: Dai et al., Deformable Convolutional Networks, ICCV 2017; Zhu et al., Deformable ConvNets v2, CVPR 2019.

    Example:
        >>> import torch
        >>> features, weight = torch.rand(1, 2, 4, 4), torch.rand(3, 2, 3, 3)
        >>> out = deform_conv2d(features, torch.zeros(1, 18, 2, 2), weight)
        >>> torch.allclose(out, torch.nn.functional.conv2d(features, weight))
        True
    """
    kernels = torchvision_ops()
    if kernels is not None:
        return kernels.deform_conv2d(features, offset, weight, bias, stride, padding, dilation, mask)
    images, channels = features.shape[:2]
    out_channels, group_channels, kernel_height, kernel_width = weight.shape
    positions = kernel_height * kernel_width
    height, width = offset.shape[2:]
    moves = offset.view(images, -1, kernel_height, kernel_width, 2, height, width)
    offset_groups = moves.size(1)
    lengths = zip(
        moves.unbind(4), (kernel_height, kernel_width), (height, width), stride, padding, dilation, strict=True
    )
    grid = []
    for axis, (move, kernel, out, step, pad, spread) in enumerate(lengths):
        start = torch.arange(out, device=offset.device) * step - pad
        tap = torch.arange(kernel, device=offset.device) * spread
        at = move + (tap[:, None, None, None] if axis == 0 else tap[:, None, None])
        at = at + (start[:, None] if axis == 0 else start)
        grid.append((2 * at + 1) / features.size(2 + axis) - 1)
    grid_xy = torch.stack(grid[::-1], -1).view(images * offset_groups, positions, height * width, 2)
    by_group = features.reshape(images * offset_groups, channels // offset_groups, *features.shape[2:])
    columns = functional.grid_sample(by_group, grid_xy.to(features.dtype), align_corners=False)
    if mask is not None:
        columns = columns * mask.reshape(images * offset_groups, 1, positions, height * width)
    # A grouped convolution over all positions sums them, with autocast's dtype.
    columns = columns.view(images, channels, positions, height * width)
    kernel_weight = weight.view(out_channels, group_channels, positions, 1)
    return functional.conv2d(columns, kernel_weight, bias, groups=channels // group_channels).view(
        images, -1, height, width
    )
