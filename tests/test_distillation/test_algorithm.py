"""The step, on real MMDetection detectors: what runs, what does not, and what must not change."""

from __future__ import annotations

import copy
from unittest import mock

import pytest
import torch
from mmdet.structures.bbox import bbox2roi

from eakd_det.errors import ConfigError
from tests import tiny

BASES = ['faster-rcnn_r50_fpn', 'mask-rcnn_r50_fpn', 'cascade-rcnn_r50_fpn']


@pytest.fixture(scope='module')
def student():
    return tiny.build(tiny.faster_rcnn(), seed=0)


@pytest.fixture(scope='module')
def teacher():
    return tiny.build(tiny.faster_rcnn(), seed=1)


@pytest.fixture
def model(student, teacher):
    return tiny.distill(copy.deepcopy(student), copy.deepcopy(teacher)).train()


def data_for(base: str) -> dict:
    data = tiny.batch()
    if 'mask' in base:
        from mmdet.structures.mask import BitmapMasks

        for sample in data['data_samples']:
            sample.gt_instances.masks = BitmapMasks.random(len(sample.gt_instances), *sample.img_shape)
    return data


class Calls:
    """Counts the calls of a module or a method."""

    def __init__(self, owner, name=None):
        self.count = 0
        if name is None:
            owner.register_forward_hook(lambda *_: self._count())
        else:
            original = getattr(owner, name)
            setattr(owner, name, lambda *args, **kwargs: (self._count(), original(*args, **kwargs))[1])

    def _count(self):
        self.count += 1


def test_each_part_runs_as_often_as_it_must(model):
    student, teacher = model.student, model.teacher
    once = [
        Calls(student.backbone),
        Calls(student.neck),
        Calls(student.rpn_head),
        Calls(student.roi_head.bbox_roi_extractor),
        Calls(student.roi_head.bbox_head),
        Calls(teacher.backbone),
        Calls(teacher.neck),
        Calls(teacher.roi_head.bbox_roi_extractor),
        Calls(teacher.roi_head.bbox_head),
    ]
    never = [
        Calls(teacher.rpn_head),
        Calls(teacher.rpn_head, 'loss_and_predict'),
        Calls(teacher.rpn_head, 'predict'),
        Calls(teacher.roi_head.bbox_assigner, 'assign'),
        Calls(teacher.roi_head.bbox_sampler, 'sample'),
        Calls(teacher.roi_head, 'bbox_loss'),
        Calls(teacher.roi_head.bbox_head, 'loss'),
        Calls(teacher.roi_head.bbox_head, 'loss_and_target'),
    ]
    tiny.step(model, tiny.batch())
    assert [call.count for call in once] == [1] * len(once)
    assert [call.count for call in never] == [0] * len(never)


def test_both_logits_belong_to_the_sampled_boxes_and_labels(model):
    seen = {}
    student_loss = model.student.roi_head.bbox_loss

    def keep_samples(features, sampling_results):
        seen['features'], seen['samples'] = features, sampling_results
        return student_loss(features, sampling_results)

    model.student.roi_head.bbox_loss = keep_samples
    steps = tiny.steps_of(model)
    data = tiny.batch()
    tiny.step(model, data)
    sites = steps[0].sites

    rois = bbox2roi([result.priors for result in seen['samples']])
    labels = torch.cat(
        [
            torch.cat([result.pos_gt_labels, result.neg_priors.new_full((len(result.neg_priors),), 3).long()])
            for result in seen['samples']
        ]
    )
    assert torch.equal(sites.where, rois)
    assert torch.equal(sites.image, rois[:, 0].long())
    assert torch.equal(sites.label, labels)
    assert torch.equal(sites.is_object, labels < 3)
    assert sites.num_objects == sum(len(result.pos_gt_labels) for result in seen['samples'])
    assert (labels < 3).any()
    assert (labels == 3).any()
    with torch.no_grad():
        student_logits = model.student.roi_head._bbox_forward(seen['features'], rois)['cls_score']
        images = model.teacher.data_preprocessor(copy.deepcopy(data))['inputs']
        teacher_logits = model.teacher.roi_head._bbox_forward(model.teacher.extract_feat(images), rois)['cls_score']
    assert torch.allclose(steps[0].student.logits, student_logits, atol=1e-6)
    assert torch.allclose(steps[0].teacher.logits, teacher_logits, atol=1e-6)


@pytest.mark.parametrize('base', BASES)
@pytest.mark.parametrize('loss', ['KDLoss', 'DKDLoss'])
def test_with_weight_zero_losses_and_gradients_are_stock(base, loss):
    cfg = tiny.faster_rcnn(base=base)
    stock, teacher = tiny.build(cfg).train(), tiny.build(cfg, seed=1)
    model = tiny.distill(
        copy.deepcopy(stock), teacher, losses=dict(loss_kd=dict(type=f'eakd_det.{loss}', loss_weight=0.0))
    ).train()
    expected = tiny.step(stock, data_for(base))
    actual = tiny.step(model, data_for(base))
    for name, value in expected.items():
        distilled = actual[f'student.{name}']
        pairs = zip(value, distilled, strict=True) if isinstance(value, list) else [(value, distilled)]
        assert all(torch.equal(a, b) for a, b in pairs), name
    gradients = {name: parameter.grad for name, parameter in model.student.named_parameters()}
    compared = 0
    for name, parameter in stock.named_parameters():
        if parameter.grad is None:
            assert gradients[name] is None, name
        else:
            assert torch.equal(parameter.grad, gradients[name]), name
            compared += 1
    assert compared > 50


def test_the_distillation_loss_reaches_the_student(model):
    losses = tiny.step(model, tiny.batch())
    assert losses['distill.loss_kd'] > 0
    with_kd = model.student.roi_head.bbox_head.fc_cls.weight.grad.clone()
    model.distiller.distill_losses.loss_kd.loss_weight = 0.0
    tiny.step(model, tiny.batch())
    assert not torch.equal(with_kd, model.student.roi_head.bbox_head.fc_cls.weight.grad)


def test_training_never_changes_the_teacher(model):
    before = copy.deepcopy(model.teacher.state_dict())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    model.train()
    student_before = copy.deepcopy(model.student.state_dict())
    for seed in range(3):
        tiny.step(model, tiny.batch(seed=seed), seed)
        optimizer.step()
    assert all(torch.equal(value, before[name]) for name, value in model.teacher.state_dict().items())
    assert any(not torch.equal(value, student_before[name]) for name, value in model.student.state_dict().items())
    assert not any(module.training for module in model.teacher.modules())
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in model.teacher.parameters())


def test_a_teacher_switched_to_training_by_hand_predicts_in_eval(model):
    model.teacher.train()
    tiny.step(model, tiny.batch())
    assert not any(module.training for module in model.teacher.modules())


def test_the_teacher_is_in_no_list_of_the_algorithm(model):
    of_teacher = {id(parameter) for parameter in model.teacher.parameters()}
    assert not of_teacher & {id(parameter) for parameter in model.parameters()}
    assert all('teacher' not in name for name, _ in model.named_modules())
    assert model.teacher is model._teacher.detector


def test_the_teacher_moves_and_casts_with_the_algorithm(model):
    model.double()
    assert {parameter.dtype for parameter in model.teacher.parameters()} == {torch.float64}


def test_a_deep_copy_shares_the_teacher_and_leaves_it_where_it_is(model):
    twin = copy.deepcopy(model)
    assert twin.teacher is model.teacher
    assert twin.student is not model.student
    twin.double()
    assert {parameter.dtype for parameter in model.teacher.parameters()} == {torch.float32}


def test_predictions_are_the_students_alone(model, student):
    calls = Calls(model.teacher.backbone)
    data = model.data_preprocessor(tiny.batch())
    with torch.no_grad():
        distilled = model.eval()(**data, mode='predict')
        stock = student.eval()(**student.data_preprocessor(tiny.batch()), mode='predict')
    for a, b in zip(distilled, stock, strict=True):
        assert torch.equal(a.pred_instances.bboxes, b.pred_instances.bboxes)
    assert calls.count == 0


def test_stopped_distillation_costs_no_teacher(model):
    calls = Calls(model.teacher.backbone)
    model.distillation_stopped = True
    losses = tiny.step(model, tiny.batch())
    assert calls.count == 0
    assert not any(name.startswith('distill') for name in losses)


def test_images_without_any_proposal_give_a_connected_zero(model):
    data = tiny.batch(((64, 64),))
    sample = data['data_samples'][0]
    sample.gt_instances = sample.gt_instances[:0]
    with mock.patch.object(
        type(model.student.rpn_head),
        'loss_and_predict',
        side_effect=lambda features, samples, **_: (
            {'loss_rpn_cls': [level.sum() * 0 for level in features]},
            [_no_proposals(features[0])],
        ),
    ):
        losses = tiny.step(model, data)
    assert losses['distill.loss_kd'] == 0
    assert model.student.roi_head.bbox_head.fc_cls.weight.grad is not None


def _no_proposals(feature):
    from mmengine.structures import InstanceData

    return InstanceData(bboxes=feature.new_zeros(0, 4), scores=feature.new_zeros(0))


def test_a_cascade_teaches_by_the_chosen_stage():
    cascade = tiny.build(tiny.faster_rcnn(base='cascade-rcnn_r50_fpn'), seed=1)
    student = tiny.build(tiny.faster_rcnn())
    calls = [Calls(head) for head in cascade.roi_head.bbox_head]
    tiny.step(tiny.distill(student, cascade, teacher_stage=1).train(), tiny.batch())
    assert [call.count for call in calls] == [0, 1, 0]


def test_a_roi_head_whose_proposals_cannot_be_read_is_refused(student, model):
    roi_head = model.student.roi_head
    roi_head.bbox_loss = lambda *_: dict(loss_bbox={}, bbox_feats=None)
    with pytest.raises(ConfigError, match='its proposals cannot be read'):
        tiny.step(model, tiny.batch())


def test_other_class_counts_are_named(student):
    with pytest.raises(ConfigError, match=r'student has num_classes 3 and the teacher .* has 5'):
        tiny.distill(student, tiny.build(tiny.faster_rcnn(num_classes=5)))
