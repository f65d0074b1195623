"""Groups of boxes that non-maximum suppression would reduce to one."""

from __future__ import annotations

import torch
from torch import Tensor


@torch.no_grad()
def nms_match(dets: Tensor, iou_threshold: float) -> list[list[int]]:
    """Return groups of boxes: one that is kept, then those that it suppresses, highest score first.

    From the highest score down, a box that is in no group starts one, with all others in no group whose IoU with it is
    at least ``iou_threshold`` (``nms`` suppresses above it, mmcv's ``nms_match`` from it on). One round for each group,
    which is cheap for the few hundred boxes that PISA's sampler passes.

    Args:
        dets: Boxes and their scores, ``(N, 5)``: x1, y1, x2, y2 in pixels, score.
        iou_threshold: From 0 to 1.

    Example:
        >>> nms_match(torch.tensor([[0.0, 0, 4, 4, 0.5], [0, 0, 4, 5, 0.9], [8, 8, 9, 9, 0.7]]), 0.5)
        [[1, 0], [2]]
    """
    dets = dets.to(torch.promote_types(dets.dtype, torch.float32))
    threshold = torch.tensor(iou_threshold, dtype=dets.dtype)  # mmcv compares in float32
    order = dets[:, 4].sort(descending=True)[1]
    boxes = dets[order, :4]
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    groups, left = [], torch.arange(len(boxes))
    while len(left):
        first, left = left[0], left[1:]
        top_left, bottom_right = boxes[left, :2].maximum(boxes[first, :2]), boxes[left, 2:].minimum(boxes[first, 2:])
        common = (bottom_right - top_left).clamp(min=0).prod(dim=1)
        is_same = common / (areas[left] + areas[first] - common) >= threshold
        groups.append(order[torch.cat([first[None], left[is_same]])].tolist())
        left = left[~is_same]
    return groups
