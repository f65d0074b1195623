"""Operations of an ONNX graph that PyTorch has no counterpart of: NMS and RoIAlign."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmcv.ops import nms, roi_align
from torch import Tensor


@contextmanager
def _untraced() -> Iterator[None]:
    """Keep the tracer from recording the operations inside, for which ``symbolic`` stands."""
    tracer: Any = torch._C
    state = tracer._get_tracing_state()
    tracer._set_tracing_state(None)
    try:
        yield
    finally:
        tracer._set_tracing_state(state)


class NonMaxSuppression(torch.autograd.Function):
    """Indices of the boxes that NMS keeps, the highest score first: ONNX's ``NonMaxSuppression`` for one class."""

    @staticmethod
    def forward(ctx: Any, boxes: Tensor, scores: Tensor, iou: float, score: float, limit: int) -> Tensor:
        """Select among ``boxes`` ``(N, 4)`` with ``scores`` ``(N,)`` above ``score``, at most ``limit``."""
        with _untraced():
            above = (scores > score).nonzero().squeeze(1)
            return above[nms(boxes[above], scores[above], iou)[1][:limit]] if len(above) else above

    @staticmethod
    def symbolic(g: Any, boxes: Any, scores: Any, iou: float, score: float, limit: int) -> Any:
        """Return the nodes; ONNX has a batch before boxes, and batch and class before scores."""

        def constant(value: Any) -> Any:
            return g.op('Constant', value_t=torch.tensor(value))

        batch = g.op('Unsqueeze', boxes, constant([0]))
        classes = g.op('Unsqueeze', scores, constant([0, 1]))
        settings = (constant([limit]), constant([float(iou)]), constant([float(score)]))
        kept = g.op('NonMaxSuppression', batch, classes, *settings)  # rows of batch, class, box
        return g.op('Gather', kept, constant(2), axis_i=1)


class RoIAlign(torch.autograd.Function):
    """Pooled features of RoIs of one image: ONNX's ``RoiAlign``."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, rois: Tensor, size: int, scale: float, sampling: int) -> Tensor:
        """Pool ``rois`` ``(R, 4)`` from ``features`` ``(1, C, H, W)``; returns ``(R, C, size, size)``."""
        with _untraced():
            first = torch.cat([rois.new_zeros(len(rois), 1), rois], dim=1)
            return roi_align(features, first, size, scale, sampling, 'avg', True)

    @staticmethod
    def symbolic(g: Any, features: Any, rois: Any, size: int, scale: float, sampling: int) -> Any:
        """Return the node."""
        count = g.op('Gather', g.op('Shape', rois), g.op('Constant', value_t=torch.tensor([0])), axis_i=0)
        image = g.op('ConstantOfShape', count, value_t=torch.zeros(1, dtype=torch.int64))
        where = dict(output_height_i=size, output_width_i=size, spatial_scale_f=scale, sampling_ratio_i=sampling)
        half = 'half_pixel'
        return g.op('RoiAlign', features, rois, image, mode_s='avg', coordinate_transformation_mode_s=half, **where)
