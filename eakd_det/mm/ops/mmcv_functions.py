"""Replacements for functions of ``mmcv.ops``, with mmcv's names and signatures.

mmcv's are autograd functions around a kernel that fills buffers; these are differentiated by autograd. mmcv's modules
(``RoIAlign``, ``DeformConv2d``, ...) call them under the same names.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any, Literal

from torch import Tensor
from torch.nn.modules.utils import _pair

from eakd_det.arguments import require
from eakd_det.errors import ConfigError
from eakd_det.mm.ops import deform_conv, focal_loss
from eakd_det.mm.ops import roi_align as roi_align_module


def replace_in(module: ModuleType) -> None:
    """Replace the functions of ``module``, one of ``mmcv.ops``."""
    for name, function in _FUNCTIONS[module.__name__.rpartition('.')[2]].items():
        setattr(module, name, function)


def roi_align(
    input: Tensor,
    rois: Tensor,
    output_size: int | tuple[int, int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = 0,
    pool_mode: str = 'avg',
    aligned: bool = True,
) -> Tensor:
    """Replace ``mmcv.ops.roi_align``; see :func:`eakd_det.mm.ops.roi_align.roi_align`."""
    if pool_mode != 'avg':
        raise ConfigError(f"roi_layer.pool_mode: expected 'avg', but got {pool_mode!r}, which needs compiled mmcv ops")
    return roi_align_module.roi_align(input, rois, _pair(output_size), spatial_scale, sampling_ratio, aligned)


def sigmoid_focal_loss(
    input: Tensor,
    target: Tensor,
    gamma: float = 2.0,
    alpha: float = 0.25,
    weight: Tensor | None = None,
    reduction: str = 'mean',
) -> Tensor:
    """Replace ``mmcv.ops.sigmoid_focal_loss``; 'mean' divides by the number of rows, as in mmcv."""
    loss = focal_loss.sigmoid_focal_loss(input, target, gamma, alpha, weight)
    if require('reduction', reduction, Literal['none', 'mean', 'sum']) == 'none':
        return loss
    return loss.sum() / len(input) if reduction == 'mean' else loss.sum()


def deform_conv2d(
    input: Tensor,
    offset: Tensor,
    weight: Tensor,
    stride: int | tuple[int, ...] = 1,
    padding: int | tuple[int, ...] = 0,
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
    deform_groups: int = 1,
    bias: bool = False,
    im2col_step: int = 32,
) -> Tensor:
    """Replace ``mmcv.ops.deform_conv2d``; the shapes determine the groups, and ``im2col_step`` is ignored."""
    if bias:
        raise ConfigError('deform_conv2d.bias: expected False, but got True')
    weight = weight.type_as(offset)
    geometry = (_pair(stride), _pair(padding), _pair(dilation))
    return deform_conv.deform_conv2d(input.type_as(offset), offset, weight, None, *geometry)


def modulated_deform_conv2d(
    input: Tensor,
    offset: Tensor,
    mask: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, ...] = 1,
    padding: int | tuple[int, ...] = 0,
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
    deform_groups: int = 1,
) -> Tensor:
    """Replace ``mmcv.ops.modulated_deform_conv2d``; the shapes determine the groups."""
    input, mask, weight = (tensor.type_as(offset) for tensor in (input, mask, weight))
    bias = None if bias is None else bias.type_as(offset)
    geometry = (_pair(stride), _pair(padding), _pair(dilation))
    return deform_conv.deform_conv2d(input, offset, weight, bias, *geometry, mask=mask)


class MultiScaleDeformableAttnFunction:
    """Replace mmcv's CUDA function with the PyTorch form that mmcv runs on a CPU."""

    @staticmethod
    def apply(
        value: Tensor,
        spatial_shapes: Tensor,
        level_start_index: Tensor,
        sampling_locations: Tensor,
        attention_weights: Tensor,
        im2col_step: int,
    ) -> Tensor:
        """Return ``(bs, num_queries, embed_dims)``."""
        module = importlib.import_module('mmcv.ops.multi_scale_deform_attn')
        locations, weights = sampling_locations.type_as(value), attention_weights.type_as(value)
        return module.multi_scale_deformable_attn_pytorch(value, spatial_shapes, locations, weights)


_FUNCTIONS: dict[str, dict[str, Any]] = {
    'roi_align': dict(roi_align=roi_align),
    'focal_loss': dict(sigmoid_focal_loss=sigmoid_focal_loss),
    'deform_conv': dict(deform_conv2d=deform_conv2d),
    'modulated_deform_conv': dict(modulated_deform_conv2d=modulated_deform_conv2d),
    'multi_scale_deform_attn': dict(MultiScaleDeformableAttnFunction=MultiScaleDeformableAttnFunction),
}
