"""LD's valuable region beside the published code and a loop over anchors."""

from __future__ import annotations

import math

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.functional import valuable_region

SHAPES = {8: (16, 20), 16: (8, 10), 32: (4, 5), 64: (2, 3), 128: (1, 2)}
LEVELS = [height * width for height, width in SHAPES.values()]


def scene(seed):
    """Return GFL's anchors of a small input and six boxes."""
    levels = []
    for stride, (height, width) in SHAPES.items():
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
        centre = torch.stack([x, y], dim=2).flatten(0, 1).double() * stride
        levels.append(torch.cat([centre - 4 * stride, centre + 4 * stride], dim=1))
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(6, 2, generator=generator, dtype=torch.float64) * 100
    size = 8 + torch.rand(6, 2, generator=generator, dtype=torch.float64) ** 2 * 80
    return torch.cat(levels), torch.cat([corner, corner + size], dim=1)


@pytest.mark.parametrize(
    ('seed', 'sites', 'total', 'squares', 'first'),
    [
        (0, 137, 25.185391317728214, 6.14644842316544, [45, 46, 47, 64]),
        (1, 212, 60.696560937352956, 20.579564684177043, [8, 9, 10, 11]),
    ],
)
def test_equals_the_published_code(seed, sites, total, squares, first):
    """``get_vlr_region`` of github.com/HikariTJU/LD (4287990), with the union of both boxes in its DIoU.

    Its ``bbox_overlaps`` takes the area of the anchor instead, which is not the paper's formula.
    """
    region = valuable_region(*scene(seed), LEVELS)
    assert (region > 0).sum() == sites
    assert region.sum().item() == pytest.approx(total, rel=1e-6)
    assert region.square().sum().item() == pytest.approx(squares, rel=1e-6)
    assert region.nonzero().flatten()[:4].tolist() == first


def overlaps(anchor, box):
    width, height = (min(anchor[i + 2], box[i + 2]) - max(anchor[i], box[i]) for i in (0, 1))
    common = max(width, 0) * max(height, 0)
    iou = common / (sum((b[2] - b[0]) * (b[3] - b[1]) for b in (anchor, box)) - common)
    distance = sum((anchor[i] + anchor[i + 2] - box[i] - box[i + 2]) ** 2 / 4 for i in (0, 1))
    diagonal = sum((max(anchor[i + 2], box[i + 2]) - min(anchor[i], box[i])) ** 2 for i in (0, 1))
    return iou, distance, iou - distance / diagonal


def test_equals_a_loop():
    anchors, boxes = scene(2)
    expected = [0.0] * len(anchors)
    for box in boxes.tolist():
        found = [overlaps(anchor, box) for anchor in anchors.tolist()]
        candidates, start = [], 0
        for count in LEVELS:
            near = sorted(found[start : start + count], key=lambda item: item[1])[:4]
            candidates += [iou for iou, _, _ in near]
            start += count
        mean = sum(candidates) / len(candidates)
        spread = math.sqrt(sum((iou - mean) ** 2 for iou in candidates) / (len(candidates) - 1))
        for index, (iou, _, diou) in enumerate(found):
            if 0.4 * (mean + spread) <= diou < mean + spread:
                expected[index] = max(expected[index], iou)
    region = valuable_region(anchors, boxes, LEVELS, gamma=0.4, nearest=4)
    torch.testing.assert_close(region, torch.tensor(expected, dtype=torch.float64))


def test_shifting_or_stretching_all_changes_nothing():
    anchors, boxes = scene(0)
    moved = valuable_region(3 * anchors + 7, 3 * boxes + 7, LEVELS)
    torch.testing.assert_close(moved, valuable_region(anchors, boxes, LEVELS))


def test_the_order_of_boxes_does_not_matter():
    anchors, boxes = scene(0)
    torch.testing.assert_close(valuable_region(anchors, boxes.flip(0), LEVELS), valuable_region(anchors, boxes, LEVELS))


def test_nothing_lies_around_nothing():
    anchors, boxes = scene(0)
    assert valuable_region(anchors, boxes[:0], LEVELS).tolist() == [0.0] * len(anchors)
    assert valuable_region(anchors[:0], boxes, []).shape == (0,)
    assert not valuable_region(anchors, boxes + 1e4, LEVELS).any()
    flat = torch.tensor([[5.0, 5.0, 5.0, 5.0]])
    assert valuable_region(anchors, flat, LEVELS).isfinite().all()
    assert valuable_region(anchors[:1], boxes, [1]).isfinite().all()


def test_half_precision_is_computed_in_float32():
    anchors, boxes = scene(0)
    assert valuable_region(anchors.half(), boxes.half(), LEVELS).dtype == torch.float32


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(anchors=torch.zeros(3)), r'^valuable_region\.anchors: expected shape \(N, 4\), but got \(3,\)'),
        (dict(boxes=torch.zeros(3, 5)), r'^valuable_region\.boxes: expected shape'),
        (dict(levels=[3]), r'^valuable_region\.levels: expected numbers that add up to the 428 anchors'),
        (dict(gamma=1.0), r'^valuable_region\.gamma: expected a number from 0 to below 1'),
        (dict(nearest=0), r'^valuable_region\.nearest: expected at least 1'),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    anchors, boxes = scene(0)
    with pytest.raises(ConfigError, match=message):
        valuable_region(**{**dict(anchors=anchors, boxes=boxes, levels=LEVELS), **changes})
