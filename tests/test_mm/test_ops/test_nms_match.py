"""Groups of boxes compared with the loop over pairs that mmcv's kernel is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from eakd_det.mm.ops.nms_match import nms_match


def by_pairs(dets, threshold):
    boxes, order = dets[:, :4].numpy(), dets[:, 4].sort(descending=True)[1].tolist()
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in boxes]
    groups = []
    while order:
        first, *order = order
        group, left = [first], []
        for other in order:
            a, b = boxes[first], boxes[other]
            width = max(np.float32(0), min(a[2], b[2]) - max(a[0], b[0]))
            height = max(np.float32(0), min(a[3], b[3]) - max(a[1], b[1]))
            common = width * height
            with np.errstate(invalid='ignore'):
                overlap = common / (areas[first] + areas[other] - common)
            (group if overlap >= np.float32(threshold) else left).append(other)
        groups.append(group)
        order = left
    return groups


@pytest.mark.parametrize('threshold', [0.3, 0.5, 0.7])
@pytest.mark.parametrize('spread', [5.0, 40.0])
def test_equals_the_loop_over_pairs(threshold, spread):
    corner = spread * torch.rand(60, 2)
    dets = torch.cat([corner, corner + 1 + 10 * torch.rand(60, 2), torch.rand(60, 1)], dim=1)
    found = nms_match(dets, threshold)
    assert found == by_pairs(dets, threshold)
    assert sorted(index for group in found for index in group) == list(range(60))


def test_an_overlap_of_exactly_the_threshold_counts():
    dets = torch.tensor([[0.0, 0, 2, 1, 0.9], [0, 0, 1, 1, 0.8]])
    assert nms_match(dets, 0.5) == [[0, 1]]
    assert nms_match(dets, 0.51) == [[0], [1]]


def test_empty_boxes_are_alone():
    assert nms_match(torch.tensor([[0.0, 0, 0, 0, 0.5], [0, 0, 0, 0, 0.4]]), 0.5) == [[0], [1]]
    assert nms_match(torch.zeros(0, 5), 0.5) == []


def test_mmcv_finds_it():
    from mmcv.ops import nms_match as of_mmcv

    groups = of_mmcv(torch.tensor([[0.0, 0, 4, 4, 0.5], [0, 0, 4, 5, 0.9], [8, 8, 9, 9, 0.7]]), 0.5)
    assert [group.tolist() for group in groups] == [[1, 0], [2]]
