"""The graph finds what MMDetection finds, in PyTorch and in onnxruntime, at sizes other than the traced one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample

from eakd_det.errors import ConfigError
from eakd_det.export.graph import best, clipped, suppressed
from eakd_det.export.onnx_file import _trace, build_graph
from tests import tiny


def detector(name: str):
    """An untrained detector whose boxes have a size, and whose scores pass the threshold."""
    cfg = tiny.faster_rcnn() if name == 'faster-rcnn' else tiny.dense(name)
    model = tiny.build(cfg).eval()
    if name == 'faster-rcnn':
        model.test_cfg.rpn.update(nms_pre=50, max_per_img=20)
    else:
        model.test_cfg.update(score_thr=0.0, nms_pre=50, max_per_img=50)
    if name == 'rtmdet':
        for layer in model.bbox_head.rtm_reg:
            torch.nn.init.constant_(layer.bias, 0.7)
        for layer in model.bbox_head.rtm_cls:  # an untrained one's scores are all the same to float32
            torch.nn.init.normal_(layer.weight, std=100.0)
    return model


def image(height: int, width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(height)
    return torch.randint(0, 256, (1, 3, height, width), dtype=torch.uint8, generator=generator)


def by_mmdetection(model, photo: torch.Tensor):
    size = tuple(photo.shape[2:])
    sample = DetDataSample(metainfo=dict(img_shape=size, ori_shape=size, scale_factor=(1.0, 1.0), img_id=0))
    in_bgr = photo[0][[2, 1, 0]]
    return model.test_step(dict(inputs=[in_bgr], data_samples=[sample]))[0].pred_instances


@pytest.mark.parametrize('name', ['faster-rcnn', 'gfl', 'retinanet', 'rtmdet'])
@torch.no_grad()
def test_graph_finds_what_mmdetection_finds(name):
    model = detector(name)
    photo = image(150, 200)
    boxes, scores, labels = build_graph(model)(photo)
    expected = by_mmdetection(model, photo)
    assert len(scores) == len(expected.scores) > 5
    order = scores.argsort(descending=True)
    torch.testing.assert_close(scores[order], expected.scores, atol=1e-4, rtol=0)
    for box, label in zip(expected.bboxes, expected.labels, strict=True):  # equal scores may be in another order
        same = boxes[labels == label]
        assert (same - box).abs().max(dim=1).values.min() < 0.05


@pytest.mark.slow
@pytest.mark.parametrize('name', ['faster-rcnn', 'gfl', 'rtmdet'])
@torch.no_grad()
def test_onnxruntime_finds_the_same_at_any_size(name):
    onnx, runtime = pytest.importorskip('onnx'), pytest.importorskip('onnxruntime')
    graph = build_graph(detector(name)).eval()
    session = runtime.InferenceSession(_trace(onnx, graph).SerializeToString())
    for height, width in ((150, 200), (200, 350)):
        photo = image(height, width)
        expected = [values.numpy() for values in graph(photo)]
        found = session.run(None, {'image': photo.numpy()})
        np.testing.assert_allclose(np.sort(found[1]), np.sort(expected[1]), atol=1e-5)
        top, known = found[1].argmax(), expected[1].argmax()
        np.testing.assert_allclose(found[0][top], expected[0][known], atol=1e-2)


@pytest.mark.parametrize(
    ('cfg', 'named'),
    [
        (tiny.faster_rcnn(base='cascade-rcnn_r50_fpn'), 'CascadeRoIHead'),
        (tiny.faster_rcnn(base='mask-rcnn_r50_fpn'), 'masks'),
        (tiny.dense('fcos'), 'FCOSHead'),
    ],
    ids=['cascade', 'mask', 'fcos'],
)
def test_what_cannot_be_exported_is_refused_in_one_line(cfg, named):
    with pytest.raises(ConfigError, match=named) as error:
        build_graph(tiny.build(cfg))
    assert '\n' not in str(error.value)


def test_another_kind_of_nms_is_refused():
    cfg = tiny.dense('gfl')
    cfg.test_cfg.nms = dict(type='soft_nms', iou_threshold=0.5)
    with pytest.raises(ConfigError, match=r'test_cfg\.nms: expected plain NMS'):
        build_graph(tiny.build(cfg))


def test_best_pads_where_there_are_fewer():
    values, indices = best(torch.tensor([0.2, 0.9]), 3)
    torch.testing.assert_close(values, torch.tensor([0.9, 0.2, -1.0]))
    assert indices.tolist() == [1, 0, 0]


def test_boxes_end_at_the_photo():
    assert clipped(torch.tensor([[-5.0, 2.0, 300.0, 80.0]]), 60, 200).tolist() == [[0.0, 2.0, 200.0, 60.0]]


def test_groups_do_not_suppress_each_other():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10]])
    scores = torch.tensor([0.9, 0.8, 0.7])
    assert suppressed(boxes, scores, torch.tensor([0, 0, 1]), 0.5, 0.05, 10).tolist() == [0, 2]
    assert suppressed(boxes, scores, torch.tensor([0, 0, 1]), 0.5, 0.75, 10).tolist() == [0]
