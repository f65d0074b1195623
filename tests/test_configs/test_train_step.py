"""A real training step of each pair: full width, the shipped losses and optimizer, two small images."""

from __future__ import annotations

import copy

import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, DefaultScope
from mmengine.structures import InstanceData

import eakd_det  # noqa: F401
from tests.test_configs.catalogue import DENSE_PAIRS, composed, load, offline

R101_R18 = 'r101_r18/ea-dkd_faster-rcnn_r101-r18_fpn_ms-1x_coco'
R50_MV2 = 'r50_mv2/ea-kd_faster-rcnn_r50-mv2_fpn_ms-1x_coco'
CAFFE = 'r101_r18/ea-kd_faster-rcnn_r101-caffe-r18_fpn_ms-1x_coco'


def batch(height: int = 192, width: int = 256, classes: int = 80) -> dict:
    generator = torch.Generator().manual_seed(0)
    inputs, samples = [], []
    for boxes, labels in (([[20, 30, 150, 180], [120, 20, 250, 170]], [0, 17]), ([[60, 60, 100, 120]], [79])):
        inputs.append(torch.randint(0, 256, (3, height, width), generator=generator, dtype=torch.uint8))
        truth = InstanceData(bboxes=torch.tensor(boxes, dtype=torch.float32), labels=torch.tensor(labels) % classes)
        shape = (height, width)
        sample = DetDataSample(
            metainfo=dict(img_shape=shape, ori_shape=shape, scale_factor=(1.0, 1.0), batch_input_shape=shape),
            gt_instances=truth,
            ignored_instances=InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long)),
        )
        samples.append(sample)
    return dict(inputs=inputs, data_samples=samples)


@pytest.mark.parametrize(
    ('name', 'loss'),
    [
        (R101_R18, 'distill.loss_dkd'),
        pytest.param(R50_MV2, 'distill.loss_kd', marks=pytest.mark.slow),
        pytest.param(CAFFE, 'distill.loss_kd', marks=pytest.mark.slow),
        pytest.param('pairs/swin-t-r18_coco.py+ea-kd', 'distill.loss_kd', marks=pytest.mark.slow),
        pytest.param('pairs/swin-t-mv2_coco.py+ea-dkd', 'distill.loss_dkd', marks=pytest.mark.slow),
        pytest.param(R101_R18.replace('ea-dkd', 'ea-fcfd'), 'distill.loss_fcfd', marks=pytest.mark.slow),
        pytest.param(R50_MV2.replace('ea-kd', 'dkd-review-kd'), 'distill.loss_review', marks=pytest.mark.slow),
    ],
)
def test_training_step(name, loss):
    torch.manual_seed(0)
    cfg = offline(load(name))
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(cfg.model)
        model.init_weights()
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    model.train()
    before = {key: value.clone() for key, value in model.student.state_dict().items()}
    teacher_before = copy.deepcopy(model.teacher.state_dict())
    trainable = {key: parameter for key, parameter in model.student.named_parameters() if parameter.requires_grad}
    reached = set()
    for key, parameter in trainable.items():
        parameter.register_post_accumulate_grad_hook(lambda _, key=key: reached.add(key))

    logged = model.train_step(batch(), wrapper)

    losses = {key: value for key, value in logged.items() if 'loss' in key}
    assert set(losses) >= {'loss', 'student.loss_rpn_cls', 'student.loss_cls', 'student.loss_bbox', loss}
    assert all(torch.isfinite(value).all() for value in losses.values())
    assert losses[loss] > 0
    total = sum(float(value) for key, value in losses.items() if key != 'loss')
    assert float(losses['loss']) == pytest.approx(total, rel=1e-5)

    assert reached == set(trainable)  # so DDP needs no find_unused_parameters
    after = model.student.state_dict()
    changed = {key for key in after if not torch.equal(after[key], before[key])}
    assert changed <= set(trainable)
    assert {key.split('.')[0] for key in changed} == {'backbone', 'neck', 'rpn_head', 'roi_head'}
    assert len(changed) > 0.9 * len(trainable)
    teacher_after = model.teacher.state_dict()
    assert all(torch.equal(value, teacher_after[key]) for key, value in teacher_before.items())
    assert not any(key.startswith('teacher') for key in model.state_dict())


@pytest.mark.slow
@pytest.mark.parametrize('name', DENSE_PAIRS)
@pytest.mark.parametrize('method', ['kd', 'ea-kd', 'ea-cross-head', 'ea-bckd'])
def test_three_steps_of_a_dense_pair(name, method):
    torch.manual_seed(0)
    cfg = offline(load(composed(method, name)))
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(cfg.model)
        model.init_weights()
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    assert type(model.student.bbox_head).__name__ == DENSE_PAIRS[name]
    teacher_before = copy.deepcopy(model.teacher.state_dict())
    data = batch(classes=model.student.bbox_head.num_classes)
    for _ in range(3):
        logged = model.train().train_step(copy.deepcopy(data), wrapper)
        losses = {key: value for key, value in logged.items() if 'loss' in key}
        assert all(torch.isfinite(value).all() for value in losses.values())
        assert all(value > 0 for key, value in losses.items() if key.startswith('distill.'))
    after = model.teacher.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in teacher_before.items())
