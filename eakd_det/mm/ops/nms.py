"""Non-maximum suppression without a loop over boxes."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from eakd_det.mm.ops.ragged import parts, unroll
from eakd_det.mm.ops.torchvision_kernels import torchvision_ops

_BLOCK = 1024  # boxes; any two of them may overlap, so this bounds the memory
_MOST_PAIRS = 1 << 20


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int = 0) -> Tensor:
    r"""Return the boxes that greedy non-maximum suppression keeps.

    From the highest score down, a box is kept unless a kept box before it overlaps it by more than ``iou_threshold``.
    In a block of sorted boxes the kept ones are the unique fixed point of

    .. math:: keep_j = \neg \bigvee_{i < j} (\mathrm{IoU}_{ij} > threshold \wedge keep_i)

    which is reached in as many rounds as the longest chain of dependent boxes, a small number. The kept boxes of a
    block suppress all later boxes before the next block is processed, so memory is bounded.

    For every float32 input the kept indices and their order equal mmcv's, because sort and arithmetic do. Boxes with
    NaN neither suppress nor are suppressed. On CUDA with ``offset`` 0, torchvision's kernel is used if it loads.

    ``boxes`` are ``(N, 4)``: x1, y1, x2, y2, compared in float32 or better. ``offset``, 1 if a box includes its last
    pixel, is added to widths and heights. The result is the indices of the kept boxes, ``(K,)``, highest score first.

    Example:
        >>> import torch
        >>> boxes = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 5], [8, 8, 9, 9]])
        >>> nms(boxes, torch.tensor([0.5, 0.9, 0.7]), 0.5)
        tensor([1, 2])
    """
    boxes = boxes.detach().to(torch.promote_types(boxes.dtype, torch.float32))
    # mmcv compares with a float32, in which an overlap of exactly 0.6 is not above 0.6.
    threshold = torch.tensor(iou_threshold, dtype=boxes.dtype).item()
    kernels = torchvision_ops() if boxes.is_cuda and offset == 0 else None
    if kernels is not None:
        return kernels.nms(boxes, scores.detach().to(boxes.dtype), threshold)
    order = scores.detach().sort(0, descending=True)[1]  # not stable, as mmcv's is not
    boxes = boxes[order]
    pending, kept = torch.arange(len(boxes), device=boxes.device), [order[:0]]
    while len(pending):
        block, pending = pending[:_BLOCK], pending[_BLOCK:]
        block = block[_keep(boxes[block], threshold, offset)]
        kept.append(block)
        if len(pending):
            pending = pending[_not_suppressed(boxes[block], boxes[pending], threshold, offset)]
    return order[torch.cat(kept)]


def _keep(boxes: Tensor, threshold: float, offset: int) -> Tensor:
    """Return which of ``boxes``, sorted by score, are kept."""
    pairs = torch.cat([torch.stack(pair) for pair in _overlapping(boxes, boxes, threshold, offset)], 1)
    better, worse = pairs[:, pairs[0] != pairs[1]].sort(0)[0]
    keep = boxes.new_ones(len(boxes), dtype=torch.bool)
    while True:
        after = torch.ones_like(keep)
        after[worse[keep[better]]] = False
        if torch.equal(after, keep):
            return keep
        keep = after


def _not_suppressed(kept: Tensor, boxes: Tensor, threshold: float, offset: int) -> Tensor:
    """Return which of ``boxes`` are not suppressed by a box of ``kept``."""
    keep = boxes.new_ones(len(boxes), dtype=torch.bool)
    for _, suppressed in _overlapping(kept, boxes, threshold, offset):
        keep[suppressed] = False
    for suppressed, _ in _overlapping(boxes, kept, threshold, offset):
        keep[suppressed] = False
    return keep


def _overlapping(a: Tensor, b: Tensor, threshold: float, offset: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield pairs that overlap by more than ``threshold``, as indices into ``a`` and into ``b``.

    The pairs are those in which the box of ``b`` starts, along x, within that of ``a``. Boxes that share no x are never
    paired: most of them, where classes or levels are separated by an offset.
    """
    left, by_left = b[:, 0].sort()
    begin = torch.searchsorted(left, a[:, 0].contiguous())
    counts = (torch.searchsorted(left, a[:, 2] + offset, right=True) - begin).clamp(min=0)
    a, b = a.t().contiguous(), b.t().contiguous()
    area_a, area_b = ((x2 - x1 + offset) * (y2 - y1 + offset) for x1, y1, x2, y2 in (a, b))
    for part in parts(counts, _MOST_PAIRS):
        i, number = unroll(counts[part])
        i = i + part.start
        j = by_left.index_select(0, begin.index_select(0, i) + number)
        height = _shared(a[1::2], b[1::2], i, j, offset)
        touch = height.nonzero().squeeze(1)  # includes NaN, which is above no threshold
        i, j, height = i.index_select(0, touch), j.index_select(0, touch), height.index_select(0, touch)
        intersection = _shared(a[::2], b[::2], i, j, offset) * height
        overlap = intersection / (area_a.index_select(0, i) + area_b.index_select(0, j) - intersection)
        above = overlap > threshold
        yield i[above], j[above]


def _shared(a: Tensor, b: Tensor, i: Tensor, j: Tensor, offset: int) -> Tensor:
    """Return the common length of intervals ``a[:, i]`` and ``b[:, j]``, 0 if they are disjoint."""
    low = torch.maximum(a[0].index_select(0, i), b[0].index_select(0, j))
    return (torch.minimum(a[1].index_select(0, i), b[1].index_select(0, j)) - low + offset).clamp_(min=0)
