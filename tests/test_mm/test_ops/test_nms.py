"""Non-maximum suppression compared with the greedy loop, mmcv's kernel and torchvision's."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from eakd_det.mm.ops import nms as module
from eakd_det.mm.ops.nms import nms

KINDS = ['scattered', 'clustered', 'ties', 'identical', 'chain']


def greedy(boxes, scores, threshold, offset):
    """The definition, pair by pair, in mmcv's float32 arithmetic."""
    boxes, one = boxes.float().numpy(), np.float32(offset)
    order, kept = scores.sort(descending=True)[1].tolist(), []
    areas = [(b[2] - b[0] + one) * (b[3] - b[1] + one) for b in boxes]
    while order:
        best = order.pop(0)
        kept.append(best)
        left = []
        for other in order:
            a, b = boxes[best], boxes[other]
            width = max(np.float32(0), min(a[2], b[2]) - max(a[0], b[0]) + one)
            height = max(np.float32(0), min(a[3], b[3]) - max(a[1], b[1]) + one)
            with np.errstate(invalid='ignore', divide='ignore'):
                overlap = width * height / (areas[best] + areas[other] - width * height)
            if not overlap > np.float32(threshold):
                left.append(other)
        order = left
    return torch.tensor(kept, dtype=torch.long)


def boxes_of(kind: str, count: int, seed: int = 0):
    random = torch.Generator().manual_seed(seed)
    scores = torch.rand(count, generator=random)
    if kind == 'scattered':
        corner, size = torch.rand(count, 2, generator=random) * 300, torch.rand(count, 2, generator=random) * 60
    elif kind == 'clustered':
        centre = torch.rand(count // 15 + 1, 2, generator=random) * 300
        corner = centre[torch.randint(len(centre), (count,), generator=random)]
        corner = corner + torch.randn(count, 2, generator=random) * 6
        size = 50 + torch.randn(count, 2, generator=random) * 8
    elif kind == 'ties':  # integer boxes and few scores: overlaps that equal the threshold, boxes without area
        corner = torch.randint(40, (count, 2), generator=random).float()
        size = torch.randint(12, (count, 2), generator=random).float()
        scores = (scores * 5).round() / 5
    elif kind == 'identical':
        corner, size = torch.full((count, 2), 3.0), torch.full((count, 2), 9.0)
    else:  # every box overlaps the next one alone, so that all decide on one another
        corner = torch.stack([torch.arange(count) * 3.0, torch.zeros(count)], 1)
        size = torch.full((count, 2), 10.0)
        scores = torch.linspace(1, 0, count)
    return torch.cat([corner, corner + size], 1), scores


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('offset', [0, 1])
@pytest.mark.parametrize('threshold', [0.0, 0.3, 0.5, 0.6, 1.0])
def test_keeps_what_the_greedy_loop_keeps(monkeypatch, kind, offset, threshold):
    boxes, scores = boxes_of(kind, 90)
    expected = greedy(boxes, scores, threshold, offset)
    assert torch.equal(nms(boxes, scores, threshold, offset), expected)
    monkeypatch.setattr(module, '_BLOCK', 7)
    monkeypatch.setattr(module, '_MOST_PAIRS', 5)
    assert torch.equal(nms(boxes, scores, threshold, offset), expected)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('count', [1, 40, 3000])
@pytest.mark.parametrize('threshold', [0.5, 0.6, 0.7])
@pytest.mark.parametrize('offset', [0, 1])
def test_keeps_what_mmcvs_kernel_keeps(compiled, kind, count, threshold, offset):
    boxes, scores = boxes_of(kind, count)
    assert torch.equal(nms(boxes, scores, threshold, offset), compiled.nms(boxes, scores, threshold, offset)[1])


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('count', [1, 40, 3000])
@pytest.mark.parametrize('threshold', [0.5, 0.6, 0.7])
def test_keeps_what_torchvisions_kernel_keeps(torchvision, kind, count, threshold):
    boxes, scores = boxes_of(kind, count)
    scores = scores + torch.arange(count) / (10.0 * count)  # torchvision sorts equal scores in another order
    rounded = torch.tensor(threshold).item()  # torchvision compares in float64
    assert torch.equal(nms(boxes, scores, threshold), torchvision.nms(boxes, scores, rounded))


def test_an_overlap_equal_to_the_threshold_does_not_suppress():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 6]])  # 0.6, which is above 0.6 in float32
    scores = torch.tensor([0.9, 0.8])
    assert nms(boxes, scores, 0.6).tolist() == [0, 1]
    assert nms(boxes, scores, 0.5999).tolist() == [0]


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf])
def test_boxes_that_are_not_finite_suppress_nothing_and_are_kept(value):
    boxes, scores = boxes_of('clustered', 60)
    alone = nms(boxes, scores, 0.5)
    broken = torch.tensor([[value, 0, 9, 9], [0, 0, value, 9], [value] * 4])
    kept = nms(torch.cat([boxes, broken]), torch.cat([scores, torch.tensor([0.99, 0.5, 0.01])]), 0.5)
    assert kept[kept < 60].tolist() == alone.tolist()
    assert set(kept.tolist()) >= {60, 61, 62}


def test_no_boxes():
    kept = nms(torch.zeros(0, 4), torch.zeros(0), 0.5)
    assert kept.shape == (0,)
    assert kept.dtype == torch.long


@pytest.mark.parametrize('dtype', [torch.float16, torch.float64])
def test_other_dtypes(dtype):
    boxes, scores = boxes_of('clustered', 80)
    boxes, scores = boxes.to(dtype), scores.to(dtype)
    assert torch.equal(nms(boxes, scores, 0.5), greedy(boxes, scores, 0.5, 0))


def test_order_of_the_input_matters_not():
    boxes, scores = boxes_of('clustered', 200)
    shuffle = torch.randperm(200, generator=torch.Generator().manual_seed(3))
    assert torch.equal(shuffle[nms(boxes[shuffle], scores[shuffle], 0.5)], nms(boxes, scores, 0.5))


def test_batched_per_class_through_mmcv():
    from mmcv.ops import batched_nms

    boxes, scores = boxes_of('clustered', 300)
    classes = torch.arange(300) % 3
    _, kept = batched_nms(boxes, scores, classes, dict(type='nms', iou_threshold=0.5))
    # The classes are set apart by an offset, which rounds: compare with each class on its own by what is kept of it.
    for number in range(3):
        mine = (classes == number).nonzero().squeeze(1)
        alone = mine[nms(boxes[mine] + number * (boxes.max() + 1), scores[mine], 0.5)]
        assert kept[classes[kept] == number].tolist() == alone.tolist()
