"""Soft-NMS by hand, and compared with mmcv's kernel."""

from __future__ import annotations

import math

import pytest
import torch

from eakd_det.mm.ops.soft_nms import soft_nms

from .test_nms import KINDS, boxes_of

METHODS = ['naive', 'linear', 'gaussian']
PAIR = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 5]])  # an overlap of 0.5


@pytest.mark.parametrize(
    ('method', 'factor'), [('naive', 0.0), ('linear', 0.5), ('gaussian', math.exp(-(0.5**2) / 0.5))]
)
def test_soft_nms_by_hand(method, factor):
    indices, rescored = soft_nms(PAIR, torch.tensor([0.8, 0.9]), 0.5, 0.5, 0.0, method)
    assert indices.tolist() == [1, 0]
    torch.testing.assert_close(rescored[:, 4], torch.tensor([0.9, 0.8 * factor]))
    assert torch.equal(rescored[:, :4], PAIR[[1, 0]])


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize('offset', [0, 1])
def test_soft_nms_is_mmcvs(compiled, kind, method, offset):
    boxes, scores = boxes_of(kind, 70)
    boxes[:, 2:] += 0.5  # for two boxes without area mmcv computes 0/0, and the score is lost
    dets, indices = compiled.soft_nms(boxes, scores, 0.3, 0.5, 0.05, method, offset)
    kept, rescored = soft_nms(boxes, scores, 0.3, 0.5, 0.05, method, offset)
    assert kept.tolist() == indices.tolist()
    torch.testing.assert_close(rescored, dets)


def test_soft_nms_through_mmcv():
    from mmcv.ops import soft_nms as of_mmcv

    boxes, scores = boxes_of('clustered', 50)
    dets, indices = of_mmcv(boxes, scores, 0.3, method='linear')
    kept, rescored = soft_nms(boxes, scores, 0.3)
    assert indices.tolist() == kept.tolist()
    torch.testing.assert_close(dets, rescored)


def test_soft_nms_keeps_boxes_without_area():
    _, rescored = soft_nms(torch.full((2, 4), 3.0), torch.tensor([0.8, 0.9]), method='gaussian')
    torch.testing.assert_close(rescored[:, 4], torch.tensor([0.9, 0.8]))


def test_nothing():
    indices, rescored = soft_nms(torch.zeros(0, 4), torch.zeros(0))
    assert indices.shape == (0,)
    assert rescored.shape == (0, 5)
