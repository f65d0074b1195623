"""Dense heads for export: scores and boxes of all points, NMS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from eakd_det.errors import ConfigError
from eakd_det.export.graph import Outputs, best, clipped, nms_threshold, suppressed, with_size_above

Decode = Callable[[Any, Tensor, Tensor, int], Tensor]
"""Boxes from the head, the priors and regression outputs of some points, and the index of their level."""


def _gfl(head: Any, priors: Tensor, outputs: Tensor, level: int) -> Tensor:
    distances = head.integral(outputs) * head.prior_generator.strides[level][0]
    return head.bbox_coder.decode(head.anchor_center(priors), distances)


def _coded(head: Any, priors: Tensor, outputs: Tensor, level: int) -> Tensor:
    return head.bbox_coder.decode(priors, outputs)


# By the exact type of the head: a subclass may predict differently.
DECODERS: dict[str, Decode] = {'GFLHead': _gfl, 'RetinaHead': _coded, 'RTMDetSepBNHead': _coded, 'RTMDetHead': _coded}


class OneStageHead(nn.Module):
    """A dense head with sigmoid scores.

    Args:
        detector: MMDetection's detector.
        score: Smallest score of a detection. None is that of ``test_cfg``.

    Raises:
        ConfigError: If the head is of another kind.
    """

    def __init__(self, detector: Any, score: float | None = None) -> None:
        super().__init__()
        self.head, self.testing = detector.bbox_head, detector.test_cfg
        self.decode = DECODERS[type(self.head).__name__]
        if not self.head.use_sigmoid_cls:
            raise ConfigError(
                'export: expected sigmoid scores of bbox_head (loss_cls.use_sigmoid=True), but got softmax'
            )
        self.iou = nms_threshold(self.testing, 'test_cfg')
        self.score = float(self.testing.score_thr if score is None else score)

    def forward(self, levels: tuple[Tensor, ...], height: Any, width: Any) -> Outputs:
        """Return boxes, scores and labels."""
        logits, outputs = self.head(levels)
        sizes = [each.shape[-2:] for each in logits]
        priors = self.head.prior_generator.grid_priors(sizes, device=logits[0].device)
        classes = int(self.head.cls_out_channels)
        found: list[Outputs] = []
        for level, (logit, output, prior) in enumerate(zip(logits, outputs, priors, strict=True)):
            flat = logit[0].permute(1, 2, 0).reshape(-1).sigmoid()
            score, index = best(flat, int(self.testing.nms_pre))
            point = torch.div(index, classes, rounding_mode='floor')
            number = output.shape[1] // (logit.shape[1] // classes)  # outputs of one prior
            output = output[0].permute(1, 2, 0).reshape(-1, number)[point]
            box = clipped(self.decode(self.head, prior[point], output, level), height, width)
            score = with_size_above(score, box, float(self.testing.get('min_bbox_size', -1)))
            found.append((box, score, index - point * classes))
        boxes, scores, labels = (torch.cat(part) for part in zip(*found, strict=True))
        kept = suppressed(boxes, scores, labels, self.iou, self.score, int(self.testing.max_per_img))
        return boxes[kept], scores[kept], labels[kept]
