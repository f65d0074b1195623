"""Soft-NMS, a plain loop over the kept boxes because it is rare in training."""

from __future__ import annotations

import torch
from torch import Tensor


def soft_nms(
    boxes: Tensor,
    scores: Tensor,
    iou_threshold: float = 0.3,
    sigma: float = 0.5,
    min_score: float = 1e-3,
    method: str = 'linear',
    offset: int = 0,
) -> tuple[Tensor, Tensor]:
    r"""Reduce the scores of boxes that overlap better ones instead of removing them.

    The best remaining box is taken repeatedly, and the scores of the others are multiplied by

    * naive: 0 where the overlap is ``iou_threshold`` or more,
    * linear: :math:`1 - \mathrm{IoU}` there,
    * gaussian: :math:`\exp(-\mathrm{IoU}^2 / \sigma)` everywhere.

    Boxes that fall below ``min_score`` are dropped.

    Returns:
        Indices of the remaining boxes, ``(K,)``, in the order in which they were taken, and ``(K, 5)``: x1, y1, x2, y2,
        new score.

    Source: Bodla et al., Soft-NMS, ICCV 2017.

    Example:
        >>> import torch
        >>> boxes = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 2]])
        >>> soft_nms(boxes, torch.tensor([0.9, 0.8]))[1][:, 4]
        tensor([0.9000, 0.4000])
    """
    left, scores, kept = list(range(len(boxes))), scores.clone(), []
    while left:
        best = int(scores[left].argmax())
        left[0], left[best] = left[best], left[0]
        kept.append(left.pop(0))
        overlap = _overlaps(boxes[kept[-1]], boxes[left], offset)
        if method == 'gaussian':
            scores[left] *= torch.exp(-(overlap**2) / sigma)
        else:
            scores[left] *= torch.where(overlap >= iou_threshold, 0 if method == 'naive' else 1 - overlap, 1)
        left = _without(left, (scores[left] < min_score).tolist())
    indices = torch.tensor(kept, dtype=torch.long)
    return indices, torch.cat([boxes[indices], scores[indices, None]], 1)


def _without(items: list[int], dropped: list[bool]) -> list[int]:
    """Return the items that are not dropped; the last one fills a gap, which gives mmcv's order of equal scores."""
    items, position = list(items), 0
    while position < len(items):
        if dropped[position]:
            items[position], dropped[position] = items[-1], dropped[len(items) - 1]
            items.pop()
        else:
            position += 1
    return items


def _overlaps(box: Tensor, boxes: Tensor, offset: int) -> Tensor:
    """Return the intersection over union of ``box`` ``(4,)`` with each of ``boxes`` ``(N, 4)``, 0 where it is 0/0."""
    areas = [(b[..., 2:] - b[..., :2] + offset).prod(-1) for b in (box, boxes)]
    low, high = torch.maximum(box[:2], boxes[:, :2]), torch.minimum(box[2:], boxes[:, 2:])
    intersection = (high - low + offset).clamp(min=0).prod(-1)
    return (intersection / (areas[0] + areas[1] - intersection)).nan_to_num(nan=0.0)
