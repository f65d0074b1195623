"""Predicted boxes of dense heads: those that MMDetection detects, and losses of them in the whole step."""

from __future__ import annotations

import copy

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config, ConfigDict
from mmengine.registry import DefaultScope

from eakd_det.errors import ConfigError
from eakd_det.sites import DenseHead
from eakd_det.sites.dense_boxes import DECODERS, OF_CODERS
from eakd_det.sites.dense_running import training_form
from tests import tiny

WIDTH, LARGE = 32, 10**7
EA = dict(type='eakd_det.EntropyWeighting', tau=1.0)
GIOU = dict(
    type='eakd_det.BoxLoss', reduction='objects', weighting=dict(type='eakd_det.DifferenceWeighting'), loss_weight=4.0
)
HEADS = {
    **{name: tiny.dense(name).bbox_head for name in tiny.DENSE},
    'fcos-normed': dict(tiny.dense('fcos').bbox_head, norm_on_bbox=True),
}
OTHER_HEADS = {
    'fovea': 'foveabox/fovea_r50_fpn_4xb4-1x_coco.py',
    'tood': 'tood/tood_r50_fpn_1x_coco.py',
    'fsaf': 'fsaf/fsaf_r50_fpn_1x_coco.py',
    'yolof': 'yolof/yolof_r50-c5_8xb8-1x_coco.py',
    'autoassign': 'autoassign/autoassign_r50-caffe_fpn_1x_coco.py',
    'centernet-update': 'centernet/centernet-update_r50-caffe_fpn_ms-1x_coco.py',
}


def other_head(name):
    cfg = Config.fromfile(f'{tiny._mmdet_configs()}/{OTHER_HEADS[name]}').model.bbox_head
    cfg.update(num_classes=3, in_channels=WIDTH)
    if name == 'yolof':
        cfg.update(num_cls_convs=1, num_reg_convs=1)
    else:
        cfg.update(feat_channels=WIDTH, stacked_convs=1)
    return cfg


class Detector(torch.nn.Module):
    """A head alone; the seam asks a detector for no more."""

    def __init__(self, head):
        super().__init__()
        self.bbox_head = head


def detections(head, features, size):
    """The boxes that MMDetection's own post-processing makes of all sites of one image, before its clipping."""
    outputs = head.eval()(features)
    meta = dict(img_shape=(LARGE, LARGE), scale_factor=(1, 1), pad_shape=size, batch_input_shape=size)
    cfg = ConfigDict(nms_pre=LARGE, score_thr=-1.0, min_bbox_size=-1, max_per_img=LARGE, nms=dict(type='nms'))
    with torch.no_grad():
        return head.predict_by_feat(*outputs, batch_img_metas=[meta], cfg=cfg, rescale=False, with_nms=False)[0].bboxes


@pytest.mark.parametrize('name', [*HEADS, *OTHER_HEADS])
def test_boxes_are_those_that_are_detected(name):
    """Clipped at 0, as there, and in any order: each is found once for every class there."""
    torch.manual_seed(0)
    cfg = dict(copy.deepcopy(HEADS.get(name) or other_head(name)))
    with DefaultScope.overwrite_default_scope('mmdet'):
        module = MODELS.build(dict(cfg, train_cfg=None, test_cfg=None))
        module.init_weights()
    channels = module.in_channels
    for parameter in module.parameters():  # large enough that boxes differ
        parameter.data += 0.05 * torch.randn_like(parameter)
    generator = module.prior_generator
    strides = [stride[0] for stride in generator.strides]
    features = [torch.randn(1, channels, max(96 // stride, 2), max(64 // stride, 2)) for stride in strides]
    head = DenseHead(Detector(module.eval()))
    with torch.no_grad(), training_form(module):
        prediction, grid = head._read(module(features))
    assert head.why_no_corners() is None
    ours = head.decode(prediction.boxes, head._sites(grid, torch.device('cpu'))).clamp(min=0)
    theirs = detections(module, features, (96, 64)).clamp(min=0)
    assert ours.unique(dim=0).shape[0] > 20
    if name == 'fovea':
        ours = ours.clamp(max=LARGE - 1)
    distance = torch.cdist(ours.double(), theirs.double(), p=1) / ours.abs().amax(dim=1, keepdim=True).clamp(min=1)
    assert distance.amin(dim=1).max() < 1e-4
    assert distance.amin(dim=0).max() < 1e-4


def pair(student, teacher=None):
    """A student, and a teacher with other weights."""
    configs = (cfg if isinstance(cfg, dict) else tiny.dense(cfg) for cfg in (student, teacher or student))
    return [tiny.build(cfg, seed).train() for seed, cfg in enumerate(configs)]


@pytest.mark.parametrize('name', tiny.DENSE)
def test_a_step_of_bckd(name):
    student, teacher = pair(name)
    focal = dict(type='eakd_det.KDLoss', focal_beta=1.0, reduction='objects')
    model = tiny.distill(student, teacher, dict(loss_kd=focal, loss_box=GIOU)).train()
    steps = tiny.steps_of(model)
    losses = tiny.step(model, tiny.batch())
    assert losses['distill.loss_box'] > 0
    (step,) = steps
    assert step.student.corners.shape == step.teacher.corners.shape == (len(step.sites), 4)
    assert step.student.corners.requires_grad
    assert not step.teacher.corners.requires_grad
    assert step.teacher.boxes is None
    assert all(parameter.grad is None for parameter in teacher.parameters())


def test_only_box_layers_learn_boxes():
    """The class branch gets the gradient of its own loss alone."""
    weights = {}
    for weight in (0.0, 1.0):
        loss = dict(GIOU, distance='l1', weighting=EA, loss_weight=weight)
        model = tiny.distill(*pair('gfl'), dict(loss_box=loss)).train()
        tiny.step(model, tiny.batch())
        weights[weight] = [
            layer.weight.grad for layer in (model.student.bbox_head.gfl_cls, model.student.bbox_head.gfl_reg)
        ]
    assert torch.equal(weights[0.0][0], weights[1.0][0])
    assert not torch.equal(weights[0.0][1], weights[1.0][1])


def test_the_same_detector_has_the_same_boxes():
    student = pair('gfl')[0].eval()
    model = tiny.distill(student, copy.deepcopy(student), dict(loss_box=dict(GIOU, weighting=EA)))
    steps = tiny.steps_of(model)
    assert tiny.step(model, tiny.batch())['distill.loss_box'] < 1e-4
    (step,) = steps
    size = (step.boxes[:, 2:] - step.boxes[:, :2]).repeat(1, 2)
    centre = ((step.boxes[:, 2:] + step.boxes[:, :2]) / 2).repeat(1, 2)
    decoded = step.head.decode(step.student.boxes, step.sites)
    torch.testing.assert_close(step.student.corners * size + centre, decoded, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(('student', 'teacher'), [('gfl', 'atss'), ('atss', 'gfl')])
def test_a_head_of_another_type_teaches_boxes(student, teacher):
    """Boxes in pixels have no units of a head."""
    model = tiny.distill(*pair(student, teacher), dict(loss_box=GIOU)).train()
    assert tiny.step(model, tiny.batch())['distill.loss_box'] > 0


def test_proposals_with_one_box_each():
    """Cascade R-CNN predicts one, Faster R-CNN one for each class."""
    model = tiny.distill(*pair(tiny.faster_rcnn(base='cascade-rcnn_r50_fpn')), dict(loss_box=dict(GIOU))).train()
    assert tiny.step(model, tiny.batch())['distill.loss_box'] > 0
    reason = r'^model\.architecture\.roi_head\.bbox_head\.reg_class_agnostic: expected True, one box for each'
    with pytest.raises(ConfigError, match=reason):
        tiny.distill(*pair(tiny.faster_rcnn()), dict(loss_box=GIOU))


def test_heads_without_a_box_at_each_site_are_refused_when_the_model_is_built(monkeypatch):
    detectors = pair('retinanet')
    monkeypatch.setitem(DECODERS, 'RetinaHead', DECODERS['GuidedAnchorHead'])
    reason = r'^model\.architecture\.bbox_head\.type: expected a head with a box .* RetinaHead predicts its anchors'
    with pytest.raises(ConfigError, match=reason):
        tiny.distill(*detectors, dict(loss_box=GIOU))
    monkeypatch.undo()
    monkeypatch.delitem(OF_CODERS, 'DeltaXYWHBBoxCoder')
    with pytest.raises(ConfigError, match=r'RetinaHead has a box coder that is not known \(DeltaXYWHBBoxCoder\)$'):
        tiny.distill(*detectors, dict(loss_box=GIOU))
