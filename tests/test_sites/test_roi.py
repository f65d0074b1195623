"""Faster, Mask and Cascade R-CNN on either side, and necks of other widths."""

from __future__ import annotations

import copy

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.sites import Sites, find_head
from tests import tiny
from tests.test_distillation.test_algorithm import Calls, data_for
from tests.test_distillation.test_feature_losses import of_width

BASES = {
    'faster': 'faster-rcnn_r50_fpn',
    'mask': 'mask-rcnn_r50_fpn',
    'cascade': 'cascade-rcnn_r50_fpn',
    'cascade-mask': 'cascade-mask-rcnn_r50_fpn',
}


@pytest.fixture(scope='module')
def detectors():
    return {
        side: {name: tiny.build(tiny.faster_rcnn(num_rois=12, base=base), seed) for name, base in BASES.items()}
        for seed, side in enumerate(('student', 'teacher'))
    }


@pytest.fixture
def make(detectors):
    return lambda student, teacher, **kwargs: tiny.distill(
        copy.deepcopy(detectors['student'][student]), copy.deepcopy(detectors['teacher'][teacher]), **kwargs
    ).train()


def step(model, base, seed=0):
    """One step on two small images; returns what was compared, and the losses."""
    steps = tiny.steps_of(model)
    data = tiny.batch(((64, 64), (64, 48)))
    if 'mask' in base:
        data = data_for(base)
    losses = tiny.step(model, data, seed)
    return steps[0], losses


@pytest.mark.parametrize('stage', [0, 1, -1])
def test_a_cascade_student_is_distilled_at_the_chosen_stage(make, stage):
    model = make('cascade', 'faster', student_stage=stage)
    heads = model.student.roi_head.bbox_head
    logits, samples = {}, {}
    calls = [Calls(head) for head in heads]
    for index, head in enumerate(heads):
        head.register_forward_hook(lambda module, inputs, output, i=index: logits.update({i: output[0]}))
    bbox_loss = model.student.roi_head.bbox_loss

    def keep(index, features, sampling_results):
        samples[index] = sampling_results
        return bbox_loss(index, features, sampling_results)

    model.student.roi_head.bbox_loss = keep
    compared, losses = step(model, 'cascade')
    assert [call.count for call in calls] == [1, 1, 1]
    chosen = stage % 3
    assert torch.equal(compared.student.logits, logits[chosen])
    boxes = torch.cat([result.priors for result in samples[chosen]])
    assert torch.equal(compared.boxes, boxes)
    assert len(compared.teacher.logits) == len(boxes)
    assert losses['distill.loss_kd'] > 0


def test_pisa_is_distilled_where_its_loss_is_computed_and_not_at_the_candidates_of_its_sampler():
    cfg = tiny.faster_rcnn(num_rois=12)
    cfg.roi_head.type = 'PISARoIHead'
    cfg.train_cfg.rcnn.sampler.update(type='ScoreHLRSampler', k=0.5, bias=0.0)
    cfg.train_cfg.rcnn.update(isr=dict(k=2, bias=0), carl=dict(k=1, bias=0.2))
    model = tiny.distill(tiny.build(cfg, 0), tiny.build(tiny.faster_rcnn(num_rois=12), 1)).train()
    samples = []
    bbox_loss = model.student.roi_head.bbox_loss

    def keep(features, sampling_results, **weights):
        samples.extend(sampling_results)
        return bbox_loss(features, sampling_results, **weights)

    model.student.roi_head.bbox_loss = keep
    compared, losses = step(model, 'faster')
    assert torch.equal(compared.boxes, torch.cat([result.priors for result in samples]))
    assert len(compared.student.logits) == len(compared.teacher.logits) == len(compared.boxes)
    assert losses['student.loss_carl'] >= 0
    assert losses['distill.loss_kd'] > 0


def test_a_cascade_student_learns_in_the_chosen_head_only(make):
    gradients = {}
    for weight in (0.0, 1.0):
        kd = dict(loss_kd=dict(type='eakd_det.KDLoss', loss_weight=weight))
        model = make('cascade', 'faster', losses=kd, student_stage=0)
        step(model, 'cascade')
        gradients[weight] = [head.fc_cls.weight.grad.clone() for head in model.student.roi_head.bbox_head]
    changed = [not torch.equal(*pair) for pair in zip(*gradients.values(), strict=True)]
    assert changed == [True, False, False]


@pytest.mark.parametrize('stage', [0, -1])
def test_a_cascade_teacher_predicts_by_the_chosen_stage(make, stage):
    model = make('faster', 'cascade', teacher_stage=stage)
    calls = [Calls(head) for head in model.teacher.roi_head.bbox_head]
    features = {}
    model.teacher.neck.register_forward_hook(lambda module, inputs, output: features.update(levels=output))
    compared, _ = step(model, 'faster')
    assert [call.count for call in calls] == [int(index == stage % 3) for index in range(3)]
    with torch.no_grad():
        expected = find_head(model.teacher, 'teacher', stage).predict(features['levels'], compared.sites)
    torch.testing.assert_close(compared.teacher.logits, expected.logits)


@pytest.mark.parametrize('student', ['mask', 'cascade-mask'])
@pytest.mark.parametrize('teacher', ['mask', 'cascade-mask', 'cascade'])
def test_only_the_box_branch_is_distilled(make, student, teacher):
    model = make(student, teacher)
    frozen = copy.deepcopy(model.teacher.state_dict())
    never = [Calls(head) for head in _list(getattr(model.teacher.roi_head, 'mask_head', None))]
    once = [Calls(head) for head in _list(model.student.roi_head.bbox_head)]
    _, losses = step(model, student)
    assert [call.count for call in never] == [0] * len(never)
    assert [call.count for call in once] == [1] * len(once)
    assert any('loss_mask' in name for name in losses)
    assert losses['distill.loss_kd'] > 0
    assert all(torch.equal(value, frozen[name]) for name, value in model.teacher.state_dict().items())


def _list(heads):
    return [] if heads is None else list(heads) if isinstance(heads, torch.nn.ModuleList) else [heads]


@pytest.mark.parametrize(
    ('student', 'teacher', 'stages', 'message'),
    [
        ('faster', 'cascade', dict(teacher_stage=3), r'model\.teacher_stage: expected a stage from -3 to 2, because'),
        (
            'cascade',
            'faster',
            dict(student_stage=-4),
            r'model\.student_stage: .* CascadeRCNN has 3 box heads, but got -4',
        ),
        (
            'faster',
            'faster',
            dict(student_stage=1),
            r'expected a stage from -1 to 0, .* FasterRCNN has 1 box head, but',
        ),
        ('faster', 'cascade', dict(teacher_stage='last'), r"but got 'last'"),
    ],
)
def test_a_stage_that_is_not_there(make, student, teacher, stages, message):
    with pytest.raises(ConfigError, match=message):
        make(student, teacher, **stages)


def test_logits_need_no_adapter_between_necks_of_other_widths(detectors):
    student, teacher = tiny.build(of_width(8)), copy.deepcopy(detectors['teacher']['faster'])
    losses = dict(loss_dkd=dict(type='eakd_det.DKDLoss', weighting=dict(type='eakd_det.EntropyWeighting')))
    _, values = step(tiny.distill(student, teacher, losses).train(), 'faster')
    assert values['distill.loss_dkd'] > 0


def test_a_teacher_has_one_image_where_a_trident_student_repeats_it(detectors):
    head = find_head(detectors['teacher']['faster'], 'teacher')
    levels = [torch.randn(2, 16, 16 // 2**level, 16 // 2**level) for level in range(4)]
    image = torch.arange(6)  # two images, three branches
    rois = torch.cat([image[:, None].float(), torch.tensor([[4.0, 4.0, 40.0, 50.0]]).expand(6, 4)], dim=1)
    sites = Sites(image=image, label=image, is_object=image < 0, where=rois, copies=3)
    with torch.no_grad():
        once = head.predict(levels, sites).logits
        repeated = head.predict([level.repeat(3, 1, 1, 1) for level in levels], sites).logits
    torch.testing.assert_close(once, repeated)
    assert not torch.equal(once[0], once[1])


def test_only_a_trident_repeats_its_images(detectors):
    model = tiny.distill(*(copy.deepcopy(detectors[side]['faster']) for side in ('student', 'teacher'))).train()
    steps = tiny.steps_of(model)
    tiny.step(model, tiny.batch())
    model.student.backbone.num_branch = 3
    tiny.step(model, tiny.batch())
    assert [step.sites.copies for step in steps] == [1, 3]
