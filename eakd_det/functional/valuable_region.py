"""Where a site has no object but its box says something about one."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.functional.boxes import area, fraction


def valuable_region(
    anchors: Tensor, boxes: Tensor, levels: Sequence[int], gamma: float = 0.25, nearest: int = 9
) -> Tensor:
    r"""Compute LD's valuable localization region of an image (Zheng et al., CVPR 2022, Sect. 3.3).

    .. math:: V_g = \{ n : \gamma\, t_g \le \mathrm{DIoU}(a_n, g) < t_g \}, \qquad
        r_n = \max_{g:\, n \in V_g} \mathrm{IoU}(a_n, g)

    :math:`t_g` is ATSS's threshold of a box :math:`g`: mean and standard deviation, added, of its IoU with the anchors
    whose centres are the nearest to its own, ``nearest`` of each level. An anchor with more than this is one to
    which ATSS may assign the object; one with a little less lies around it. DIoU is IoU minus the squared distance of
    the centres, divided by the squared diagonal of the smallest box around both.

    As in the published code, an anchor may lie in the region of one object while another is assigned to it, and its
    weight is its IoU. There, DIoU divides by the area of the anchor instead of the union, and anchors in the padding of
    an image are left out; here the paper's formula holds, and all count.

    Args:
        anchors: The box of each site of the image, ``(P, 4)``: x1, y1, x2, y2 in pixels; level by level.
        boxes: The annotated boxes, ``(G, 4)``.
        levels: Number of sites of each level; their sum is ``P``.
        gamma: :math:`\gamma`, at least 0 and below 1. Defaults to 0.25, as published.
        nearest: Number of anchors of a level that the threshold looks at, at least 1. Defaults to 9, as in ATSS.

    Returns:
        :math:`r_n`, ``(P,)``, float32 or better, above 0 in the region and 0 outside.

    Raises:
        ConfigError: If shapes do not fit, or ``gamma`` or ``nearest`` is out of range.

    Example:
        >>> anchors = torch.tensor([[0.0, 0.0, 4.0, 4.0], [3.0, 0.0, 7.0, 4.0], [9.0, 0.0, 13.0, 4.0]])
        >>> valuable_region(anchors, torch.tensor([[0.0, 0.0, 4.0, 4.0], [2.0, 0.0, 6.0, 4.0]]), [3])
        tensor([0.3333, 0.6000, 0.0000])
    """
    _check(anchors, boxes, levels, gamma, nearest)
    dtype = torch.promote_types(torch.promote_types(anchors.dtype, boxes.dtype), torch.float32)
    anchors, boxes = anchors.detach().to(dtype).unsqueeze(1), boxes.detach().to(dtype)
    if not len(boxes) or not len(anchors):
        return anchors.new_zeros(len(anchors))
    between = anchors[..., :2] + anchors[..., 2:] - boxes[:, :2] - boxes[:, 2:]
    squared_distance = between.square().sum(dim=2) / 4
    common = area(anchors[..., :2].maximum(boxes[:, :2]), anchors[..., 2:].minimum(boxes[:, 2:]))
    union = area(anchors[..., :2], anchors[..., 2:]) + area(boxes[:, :2], boxes[:, 2:]) - common
    iou = fraction(common, union)
    hull = anchors[..., 2:].maximum(boxes[:, 2:]) - anchors[..., :2].minimum(boxes[:, :2])
    diou = iou - fraction(squared_distance, hull.square().sum(dim=2))
    candidates = torch.cat(
        [
            overlap.gather(0, distance.topk(min(nearest, len(distance)), dim=0, largest=False).indices)
            for overlap, distance in zip(iou.split(list(levels)), squared_distance.split(list(levels)), strict=True)
        ]
    )
    threshold = candidates.mean(dim=0)
    if len(candidates) > 1:
        threshold = threshold + candidates.std(dim=0)
    inside = (gamma * threshold <= diou) & (diou < threshold)
    return torch.where(inside, iou, 0).amax(dim=1)


def _check(anchors: Tensor, boxes: Tensor, levels: Sequence[int], gamma: float, nearest: int) -> None:
    for name, value in (('anchors', anchors), ('boxes', boxes)):
        if value.dim() != 2 or value.shape[1] != 4:
            raise ConfigError(f'valuable_region.{name}: expected shape (N, 4), but got {tuple(value.shape)}')
    if sum(levels) != len(anchors):
        raise ConfigError(
            f'valuable_region.levels: expected numbers that add up to the {len(anchors)} anchors, '
            f'but got {list(levels)}'
        )
    if not 0 <= gamma < 1:
        raise ConfigError(f'valuable_region.gamma: expected a number from 0 to below 1, but got {gamma!r}')
    if nearest < 1:
        raise ConfigError(f'valuable_region.nearest: expected at least 1, but got {nearest!r}')
