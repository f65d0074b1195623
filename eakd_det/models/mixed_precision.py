"""Training of MMDetection's detectors under bfloat16 autocast."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.models.dense_heads.base_dense_head import BaseDenseHead
from mmdet.models.roi_heads.roi_extractors import BaseRoIExtractor
from torch import Tensor, nn


def keep_boxes_in_float32(detector: nn.Module) -> None:
    """Keep boxes in float32 where autocast makes the surrounding layers bfloat16, by forward hooks on ``detector``.

    MMDetection gives anchors and proposals the dtype of the layer before them. In bfloat16, with 8 bits, a box at 1000
    pixels is off by up to 4, and mmcv's NMS and RoIAlign have no bfloat16 kernel. So the outputs of the RPN and the
    inputs of RoIAlign become float32, and convolutions and linear layers stay bfloat16. Other dtypes do not change: in
    float32 and float16 the detector equals MMDetection's to the bit.

    Example:
        >>> import torch
        >>> from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
        >>> extractor = SingleRoIExtractor(dict(type='RoIAlign', output_size=2), 4, [4])
        >>> keep_boxes_in_float32(extractor)
        >>> extractor((torch.ones(1, 4, 8, 8, dtype=torch.bfloat16),), torch.tensor([[0.0, 1, 1, 9, 9]])).dtype
        torch.float32
    """
    for module in detector.modules():
        if isinstance(module, BaseDenseHead):
            module.register_forward_hook(_outputs_in_float32)
        elif isinstance(module, BaseRoIExtractor):
            module.register_forward_pre_hook(_inputs_in_float32)


def _outputs_in_float32(module: nn.Module, inputs: tuple[Any, ...], outputs: Any) -> Any:
    return _in_float32(outputs)


def _inputs_in_float32(module: nn.Module, inputs: tuple[Any, ...]) -> Any:
    return _in_float32(inputs)


def _in_float32(node: Any) -> Any:
    if isinstance(node, Tensor):
        return node.float() if node.dtype == torch.bfloat16 else node
    if isinstance(node, (list, tuple)):
        return type(node)(_in_float32(item) for item in node)
    return node
