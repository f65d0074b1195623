"""Dense heads go through the whole step: what the student's loss did, what the teacher predicts at the same places."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from mmengine.config import ConfigDict

from eakd_det.errors import ConfigError
from eakd_det.registry import MODELS
from eakd_det.sites import DenseHead, SigmoidScores, Wanted, find_head
from eakd_det.sites.dense_kinds import joint_logits
from tests import tiny

EA = dict(type='eakd_det.EntropyWeighting', tau=1.0)
KD = dict(type='eakd_det.KDLoss', reduction='objects', weighting=EA)
every_head = pytest.mark.parametrize('name', tiny.DENSE)


def pair(name, **changes):
    teacher = tiny.dense(name)
    teacher.update(changes)
    return tiny.build(tiny.dense(name)).train(), tiny.build(teacher, seed=1)


def distill(student, teacher, loss=KD, **kwargs):
    return tiny.distill(student, teacher, dict(loss_kd=loss), **kwargs).train()


def head_calls(detector):
    """Record the forward passes of the head."""
    calls = []
    detector.bbox_head.register_forward_hook(lambda *_: calls.append('forward'))
    return calls


@every_head
def test_stock_losses_and_gradients_to_the_bit(name):
    stock, teacher = pair(name)
    model = distill(copy.deepcopy(stock), teacher, dict(KD, loss_weight=0.0))
    calls = head_calls(model.student)
    losses, expected = tiny.step(model, tiny.batch()), tiny.step(stock, tiny.batch())
    for key, value in expected.items():
        ours = losses[f'student.{key}']
        pairs = zip(value, ours, strict=True) if isinstance(value, list) else [(value, ours)]
        assert all(torch.equal(*both) for both in pairs)
    assert calls == ['forward']
    gradients = dict(model.student.named_parameters())
    for key, parameter in stock.named_parameters():
        if parameter.grad is None:
            continue
        if name == 'yolox':  # a second reader of its maps has autograd add in another order
            torch.testing.assert_close(gradients[key].grad, parameter.grad, rtol=1e-4, atol=1e-6)
        else:
            assert torch.equal(gradients[key].grad, parameter.grad), key


@every_head
def test_the_teacher_learns_nothing_and_assigns_nothing(name):
    student, teacher = pair(name)
    model = distill(student, teacher)
    before = copy.deepcopy(teacher.state_dict())
    model.teacher.bbox_head.loss_by_feat = model.teacher.bbox_head.assigner = None
    losses = tiny.step(model, tiny.batch())
    assert losses['distill.loss_kd'] > 0
    assert all(torch.equal(value, before[key]) for key, value in model.teacher.state_dict().items())
    assert not any(module.training for module in model.teacher.modules())


@every_head
def test_rows_are_where_the_loss_has_them(name):
    """The same weights on both sides predict the same, and a loss on one site reaches no other image."""
    student, _ = pair(name)
    for module in student.eval().modules():  # as trained, so that folding them into convolutions matters
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    model = distill(student, copy.deepcopy(student))
    model.student.eval()
    steps = tiny.steps_of(model)
    tiny.step(model, tiny.batch())
    (step,) = steps
    torch.testing.assert_close(step.student.logits, step.teacher.logits, rtol=1e-4, atol=1e-4)
    count = len(step.sites) // 2
    assert step.sites.image.tolist() == [0] * count + [1] * count
    assert step.boxes.shape == (2 * count, 4)
    assert step.student.logits.shape == (2 * count, 3)
    assert 0 < step.sites.num_objects < count


@pytest.mark.parametrize('name', ['retinanet', 'gfl', 'rtmdet', 'atss'])
def test_labels_are_those_of_the_loss(name):
    student, teacher = pair(name)
    seen = []
    original = student.bbox_head.loss_cls.forward

    def watch(scores, target, *args, **kwargs):
        labels = target[0] if isinstance(target, tuple) else target
        seen.append((scores.detach(), labels))
        return original(scores, target, *args, **kwargs)

    student.bbox_head.loss_cls.forward = watch
    model = distill(student, teacher)
    steps = tiny.steps_of(model)
    tiny.step(model, tiny.batch())
    sites, start, per_image = steps[0].sites, 0, len(steps[0].sites) // 2
    for scores, labels in seen:  # of one level, both images
        rows = torch.arange(start, start + len(labels) // 2)
        rows = torch.cat([rows, rows + per_image])
        assert torch.equal(sites.label[rows], labels)
        assert torch.equal(steps[0].student.logits[rows].detach(), scores)
        start += len(labels) // 2
    assert start == per_image
    assert torch.equal(sites.is_object, sites.label < 3)


def test_labels_of_yolox_and_fcos_lie_on_the_objects():
    for name in ('yolox', 'fcos'):
        model = distill(*pair(name))
        steps = tiny.steps_of(model)
        batch = tiny.batch()
        tiny.step(model, batch)
        sites, boxes = steps[0].sites, steps[0].boxes
        for index in sites.is_object.nonzero().squeeze(1).tolist():
            objects = batch['data_samples'][int(sites.image[index])].gt_instances
            of_class = objects.bboxes[objects.labels == sites.label[index]]
            middle = (boxes[index, :2] + boxes[index, 2:]) / 2
            reach = (boxes[index, 2:] - boxes[index, :2]) * 3  # YOLOX also takes points around a centre
            assert ((of_class[:, :2] - reach <= middle) & (middle <= of_class[:, 2:] + reach)).all(dim=1).any()


def test_gfl_predicts_distributions_and_ld_learns_them():
    model = distill(*pair('gfl'), dict(type='eakd_det.LDLoss', reduction='objects', weighting=EA))
    steps = tiny.steps_of(model)
    losses = tiny.step(model, tiny.batch())
    assert losses['distill.loss_kd'] > 0
    assert steps[0].student.boxes.shape == steps[0].teacher.boxes.shape == (len(steps[0].sites), 4, 17)


@pytest.mark.parametrize('name', ['gfl', 'retinanet', 'rtmdet'])
def test_the_valuable_region_lies_around_the_objects(name):
    model = distill(*pair(name), dict(KD, sites='valuable'))
    steps = tiny.steps_of(model)
    losses = tiny.step(model, tiny.batch())
    assert losses['distill.loss_kd'] > 0
    (step,) = steps
    inside = step.valuable > 0
    assert 0 < inside.sum() < len(step.sites)
    for image, boxes in enumerate(step.gt_boxes):
        centres = step.boxes[inside & (step.sites.image == image)]
        distance = torch.cdist((centres[:, :2] + centres[:, 2:]) / 2, (boxes[:, :2] + boxes[:, 2:]) / 2)
        reach = (boxes[:, 2:] - boxes[:, :2]).norm(dim=1) + (centres[:, 2:] - centres[:, :2]).norm(dim=1).unsqueeze(1)
        assert (distance < reach / 2).any(dim=1).all()


def test_proposals_have_no_valuable_region():
    with pytest.raises(ConfigError, match=r"^model\.architecture\.roi_head\.bbox_head: .* sites='valuable'"):
        tiny.distill(tiny.faster_rcnn(), tiny.faster_rcnn(), dict(loss_kd=dict(KD, sites='valuable')))


@every_head
def test_the_teachers_head_on_the_students_features(name):
    model = distill(*pair(name), dict(KD, type='eakd_det.CrossHeadLoss'))
    losses = tiny.step(model, tiny.batch())
    assert losses['distill.loss_kd'] > 0
    assert all(parameter.grad is None for parameter in model.teacher.parameters())


def test_boxes_of_teacher_and_student_have_the_same_units():
    """FCOS in eval mode multiplies its distances by the stride, in training it does not."""
    cfg = tiny.dense('fcos')
    cfg.bbox_head.norm_on_bbox = True
    student = tiny.build(cfg).eval()
    model = distill(student, copy.deepcopy(student), dict(type='eakd_det.LDLoss'))
    model.student.eval()
    steps = tiny.steps_of(model)
    with pytest.raises(ConfigError, match=r'^LDLoss\.boxes_S: expected distributions'):
        tiny.step(model, tiny.batch())
    teacher = steps[0].teacher.boxes
    model.student.bbox_head.training = True
    features = model.student.extract_feat(model.data_preprocessor(tiny.batch(), True)['inputs'])
    maps = model.student.bbox_head(features)[1]
    expected = torch.cat([level.permute(0, 2, 3, 1).flatten(1, 2) for level in maps], dim=1).flatten(0, 1)
    torch.testing.assert_close(teacher, expected)


def test_a_teacher_with_other_classes():
    teacher = tiny.build(tiny.dense('retinanet', num_classes=5), seed=1)
    model = distill(pair('retinanet')[0], teacher, class_map=[[0, 1], 2, 3])
    steps = tiny.steps_of(model)
    assert tiny.step(model, tiny.batch())['distill.loss_kd'] > 0
    assert steps[0].teacher.logits.shape == steps[0].student.logits.shape


def test_no_objects_in_the_batch():
    model = distill(*pair('retinanet'))
    batch = tiny.batch()
    for sample in batch['data_samples']:
        sample.gt_instances = sample.gt_instances[:0]
    losses = tiny.step(model, batch)
    assert torch.isfinite(losses['distill.loss_kd'])
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


def test_images_of_one_class():
    """With one class a sigmoid head has one column."""
    student, teacher = (tiny.build(tiny.dense('gfl', num_classes=1), seed) for seed in (0, 1))
    assert tiny.step(distill(student.train(), teacher), tiny.batch(num_classes=1))['distill.loss_kd'] > 0


def test_any_loss_may_read_what_dense_heads_predict(monkeypatch):
    class ScoreDistance(torch.nn.Module):
        def forward(self, preds_S, preds_T, objects):
            return (preds_S.sigmoid() - preds_T.sigmoid()).square().sum() / objects.sum().clamp(min=1)

    monkeypatch.setitem(MODELS.module_dict, 'ScoreDistance', ScoreDistance)
    sources = dict(
        preds_S=('proposal_logits', True), preds_T=('proposal_logits', False), objects=('proposal_objects', True)
    )
    reads = {name: dict(recorder=recorder, from_student=side) for name, (recorder, side) in sources.items()}
    mappings = dict(loss_forward_mappings=dict(loss_kd=reads))
    model = distill(*pair('retinanet'), dict(type='eakd_det.ScoreDistance'), distiller=mappings)
    assert tiny.step(model, tiny.batch())['distill.loss_kd'] > 0


@pytest.mark.parametrize(
    ('teacher', 'reason'),
    [
        (tiny.dense('fcos'), r'model\.teacher\.bbox_head: expected anchors at each point \[9, .*\], as the student '),
        (tiny.dense('rtmdet'), r'model\.teacher\.bbox_head: expected strides \[8, 16, 32, 64, 128\], as the student '),
        (tiny.dense('retinanet', 5), r'model\.architecture\.bbox_head\.num_classes: student and teacher must'),
        (tiny.faster_rcnn(), r'model\.teacher\.roi_head\.bbox_head: expected a single-stage detector'),
    ],
)
def test_what_does_not_fit_is_one_line_that_names_both_sides(teacher, reason):
    with pytest.raises(ConfigError, match=f'^{reason}') as caught:
        distill(pair('retinanet')[0], tiny.build(teacher))
    assert 'model.architecture.bbox_head' in str(caught.value)
    assert '\n' not in str(caught.value)


def test_other_anchors_do_not_fit():
    cfg = tiny.dense('retinanet')
    cfg.bbox_head.anchor_generator.octave_base_scale = 2
    with pytest.raises(ConfigError, match=r'^model\.teacher\.bbox_head: expected anchors \[\['):
        distill(pair('retinanet')[0], tiny.build(cfg))


def test_a_head_of_another_type_teaches_classes_but_no_boxes():
    student, teacher = pair('gfl')[0], pair('atss')[1]
    assert tiny.step(distill(student, teacher), tiny.batch())['distill.loss_kd'] > 0
    model = distill(student, teacher, dict(type='eakd_det.LDLoss'))
    with pytest.raises(ConfigError, match=r'^model\.teacher\.bbox_head\.type: expected GFLHead'):
        tiny.step(model, tiny.batch())


@pytest.mark.parametrize(
    ('loss', 'reason'),
    [
        (dict(type='eakd_det.DKDLoss'), r'model\.distiller\.distill_losses\.loss_kd: .* DKDLoss parts one softmax'),
        (dict(type='eakd_det.KDLoss', weighting=dict(EA, foreground_only=True)), r'.*loss_kd\.weighting: .*background'),
    ],
)
def test_a_loss_without_meaning_is_refused_when_the_model_is_built(loss, reason):
    with pytest.raises(ConfigError, match=f'^{reason}'):
        distill(*pair('retinanet'), loss)


def test_embeddings_and_stages_are_refused():
    with pytest.raises(ConfigError, match=r'^model\.architecture\.bbox_head: expected losses of logits or boxes'):
        distill(*pair('retinanet'), dict(type='eakd_det.EmbeddingLoss'))
    head = find_head(pair('retinanet')[0], 'student')
    with pytest.raises(ConfigError, match=r'^model\.architecture\.bbox_head: '), head.watch(Wanted(embeddings=True)):
        pass
    with pytest.raises(ConfigError, match=r'^model\.student_stage: expected -1'):
        distill(*pair('retinanet'), student_stage=1)


def test_watching_leaves_no_trace():
    detector = pair('gfl')[0]
    head = find_head(detector, 'student')
    assert isinstance(head, DenseHead)
    assert head.scores == SigmoidScores(3)
    before = set(vars(detector.bbox_head))
    with pytest.raises(RuntimeError, match='stop'), head.watch():
        raise RuntimeError('stop')
    assert set(vars(detector.bbox_head)) == before
    with pytest.raises(ConfigError, match=r'computes its loss without GFLHead\.loss_by_feat'), head.watch():
        pass


def test_joint_logits():
    classes, objects = 5 * torch.randn(2, 6, dtype=torch.float64)
    both = classes.sigmoid() * objects.sigmoid()
    torch.testing.assert_close(joint_logits(classes, objects), torch.logit(both))
    extreme = joint_logits(torch.tensor([1e4, -1e4, 1e4]), torch.tensor([1e4, 1e4, -1e4]))
    torch.testing.assert_close(extreme, torch.tensor([1e4 - math.log(2), -1e4, -1e4]))


def test_a_softmax_head():
    cfg = tiny.dense('retinanet')
    cfg.bbox_head.loss_cls = ConfigDict(type='CrossEntropyLoss', use_sigmoid=False)
    student, teacher = (tiny.build(cfg, seed) for seed in (0, 1))
    model = distill(student.train(), teacher, dict(type='eakd_det.DKDLoss', reduction='objects'))
    steps = tiny.steps_of(model)
    assert tiny.step(model, tiny.batch())['distill.loss_kd'] > 0
    assert steps[0].student.logits.shape[1] == 4
