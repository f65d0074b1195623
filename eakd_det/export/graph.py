"""A detector as one function of tensors, from a photo's pixels to its detections, for export.

MMDetection's own prediction sorts and filters with Python's control flow, which a graph for photos of any size cannot
have. These modules run MMDetection's networks and coders, and select with operations that ONNX has.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from eakd_det.errors import ConfigError
from eakd_det.export.nodes import NonMaxSuppression

Outputs = tuple[Tensor, Tensor, Tensor]


class Graph(nn.Module):
    """From a photo to its detections.

    Args:
        detector: MMDetection's detector.
        head: From the levels of its neck and the photo's height and width to boxes, scores and labels.
    """

    def __init__(self, detector: Any, head: nn.Module) -> None:
        super().__init__()
        self.detector, self.head = detector, head
        pixels = detector.data_preprocessor
        self.divisor = int(getattr(pixels, 'pad_size_divisor', 1))
        self.in_rgb = bool(getattr(pixels, '_channel_conversion', False))  # the files are read as BGR
        normalises = bool(getattr(pixels, '_enable_normalize', False))
        self.register_buffer('mean', pixels.mean.view(1, 3, 1, 1).clone() if normalises else torch.zeros(1, 3, 1, 1))
        self.register_buffer('std', pixels.std.view(1, 3, 1, 1).clone() if normalises else torch.ones(1, 3, 1, 1))

    def forward(self, image: Tensor) -> Outputs:
        """Detect on ``image`` ``(1, 3, height, width)`` uint8, RGB.

        Returns:
            ``boxes`` ``(N, 4)`` as x1, y1, x2, y2 in pixels of ``image``, ``scores`` ``(N,)`` and ``labels`` ``(N,)``.
        """
        height, width = image.shape[2], image.shape[3]
        pixels = image.float()
        if not self.in_rgb:
            pixels = pixels[:, [2, 1, 0]]
        pixels = (pixels - self.get_buffer('mean')) / self.get_buffer('std')
        pixels = pad(pixels, (0, -width % self.divisor, 0, -height % self.divisor))
        return self.head(self.detector.extract_feat(pixels), height, width)


def clipped(boxes: Tensor, height: Any, width: Any) -> Tensor:
    """Return ``boxes`` ``(..., 4)`` within the photo, whose size may be traced."""
    edge = torch.stack([torch.as_tensor(side, dtype=boxes.dtype) for side in (width, height, width, height)])
    return torch.minimum(boxes.clamp(min=0), edge)


def best(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the ``count`` highest of ``scores`` ``(N,)`` and their indices; -1 and 0 where there are fewer."""
    values, indices = pad(scores, (0, count), value=-1.0).topk(count)
    return values, torch.where(values < 0, torch.zeros_like(indices), indices)


def with_size_above(scores: Tensor, boxes: Tensor, smallest: float) -> Tensor:
    """Return ``scores`` with -1 for boxes that are not wider and higher than ``smallest``."""
    size = boxes[:, 2:] - boxes[:, :2]
    return torch.where((size > smallest).all(dim=1), scores, torch.full_like(scores, -1.0))


def suppressed(boxes: Tensor, scores: Tensor, groups: Tensor, iou: float, score: float, limit: int) -> Tensor:
    """Return the indices that NMS within each group keeps: groups are moved apart, as in mmcv."""
    apart = groups.to(boxes)[:, None] * (boxes.max() + 1)
    kept: Tensor = NonMaxSuppression.apply(boxes + apart, scores, iou, score, limit)
    return kept


def nms_threshold(settings: Any, key: str) -> float:
    """Return the IoU threshold of an NMS config.

    Raises:
        ConfigError: If it is another kind of NMS.
    """
    nms = dict(settings.get('nms') or {})
    if nms.get('type', 'nms') != 'nms' or nms.get('class_agnostic') or 'iou_threshold' not in nms:
        raise ConfigError(f'{key}.nms: expected plain NMS with iou_threshold, which ONNX has, but got {nms}')
    return float(nms['iou_threshold'])
