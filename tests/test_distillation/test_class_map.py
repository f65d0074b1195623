"""Teacher and student with other class lists: who stands for whom, and what becomes of the rest."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from unittest import mock

import pytest
import torch
from mmdet.models import BBoxHead

from eakd_det.datasets.class_names import set_num_classes
from eakd_det.distillation import ClassCheckHook
from eakd_det.distillation.answer_translation import AnswerTranslation
from eakd_det.distillation.class_map import ClassMap
from eakd_det.errors import ConfigError
from eakd_det.functional import entropy
from tests import tiny

TEACHER = ('cat', 'dog', 'car', 'bus', 'tree')
STUDENT = ('vehicle', 'dog', 'cat')
MAP = {'vehicle': ['car', 'bus'], 'cat': 0}  # and dogs are dogs
BATCH = tiny.batch(((64, 64), (64, 48)))


def resolve(entries=MAP, unmapped='background', students=STUDENT, names=TEACHER, count=3):
    return ClassMap.resolve(entries, unmapped, count, students, len(TEACHER), names)


def head(num_classes, stds=(0.1, 0.1, 0.2, 0.2), means=(0.0,) * 4, coder='DeltaXYWHBBoxCoder'):
    return BBoxHead(
        in_channels=4,
        roi_feat_size=1,
        num_classes=num_classes,
        bbox_coder=dict(type=coder, target_means=means, target_stds=stds)
        if coder == 'DeltaXYWHBBoxCoder'
        else dict(type=coder),
    )


def translation(unmapped='background', entries=MAP, students=STUDENT, count=3):
    return AnswerTranslation(head(count), head(len(TEACHER)), resolve(entries, unmapped, students, count=count))


def test_names_and_indices_become_members():
    class_map = resolve()
    assert class_map.student_classes == ('vehicle', 'dog', 'cat')
    assert class_map.members == ((2, 3), (1,), (0,))
    assert class_map.unmapped == (4,)
    assert resolve([['car', 'bus'], 1, 'cat']) == class_map
    assert resolve([2, 1, 0], students=None, names=None).members == ((2,), (1,), (0,))
    assert resolve(dict(sorted(MAP.items()))) == class_map  # a saved config sorts its keys
    assert resolve({}, students=('dog', 'car'), count=2).members == ((1,), (2,))


def test_probabilities_of_the_members_add_up():
    logits = 3 * torch.randn(7, 6, dtype=torch.float64)
    theirs, ours = logits.softmax(dim=1), translation().logits(logits).softmax(dim=1)
    expected = torch.stack([theirs[:, 2] + theirs[:, 3], theirs[:, 1], theirs[:, 0], theirs[:, 5] + theirs[:, 4]], 1)
    torch.testing.assert_close(ours, expected)


def test_dropped_classes_are_renormalised_away():
    logits = 3 * torch.randn(7, 6, dtype=torch.float64)
    theirs, ours = logits.softmax(dim=1), translation('drop').logits(logits).softmax(dim=1)
    kept = torch.stack([theirs[:, 2] + theirs[:, 3], theirs[:, 1], theirs[:, 0], theirs[:, 5]], 1)
    torch.testing.assert_close(ours, kept / kept.sum(dim=1, keepdim=True))


def test_a_sure_unmapped_object_is_background_unless_dropped():
    """What the teacher takes for a tree is unlabelled for the student; without trees it would be a guess."""
    logits = torch.tensor([[1.0, 0.5, 0.0, 0.0, 12.0, 0.0]])
    assert translation().logits(logits).argmax() == 3
    assert translation('drop').logits(logits).argmax() == 2  # a cat


def test_a_permutation_is_exact():
    logits = torch.randn(5, 6)
    ours = translation(entries=[4, 0, 1, 2, 3], students=None, count=5).logits(logits)
    assert torch.equal(ours, logits[:, [4, 0, 1, 2, 3, 5]])


def test_without_a_map_logits_are_what_they_were():
    logits = torch.randn(5, 6)
    assert AnswerTranslation(head(5), head(5)).logits(logits) is logits


@pytest.mark.parametrize('unmapped', ['background', 'drop'])
def test_extreme_logits_and_gradients(unmapped):
    logits = torch.tensor([[1000.0, -1000, 0, 0, 1000, -1000], [-1000.0] * 6, [1000.0] * 6]).requires_grad_()
    ours = translation(unmapped).logits(logits)
    assert ours.isfinite().all()
    entropy(ours).sum().backward()
    assert logits.grad.isfinite().all()
    exact = torch.randn(3, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(translation(unmapped).logits, exact)


def test_half_precision_and_no_proposals():
    logits = torch.randn(4, 6)
    low = translation().logits(logits.bfloat16())
    torch.testing.assert_close(low.float(), translation().logits(logits), rtol=0.02, atol=0.02)
    assert translation().logits(logits[:0]).shape == (0, 4)


def test_deltas_are_the_members_and_of_merged_classes_the_likelier():
    logits = torch.zeros(2, 6)
    logits[1, 3] = 50.0  # surely a bus
    deltas = torch.arange(2 * 5 * 4.0).reshape(2, 20)
    boxes = deltas.reshape(2, 5, 4)
    ours = translation().deltas(deltas, logits).reshape(2, 3, 4)
    torch.testing.assert_close(ours[0, 0], (boxes[0, 2] + boxes[0, 3]) / 2)
    torch.testing.assert_close(ours[1, 0], boxes[1, 3])
    torch.testing.assert_close(ours[:, 1:], boxes[:, [1, 0]])
    agnostic = torch.randn(2, 4)
    torch.testing.assert_close(translation().deltas(agnostic, logits), agnostic)


def test_deltas_come_in_the_students_units():
    stds, means = (0.05, 0.05, 0.1, 0.1), (0.1, 0.0, 0.0, -0.2)
    translate = AnswerTranslation(head(5), head(5, stds=stds, means=means))
    deltas, rois = torch.randn(6, 20), torch.tensor([[0.0, 0.0, 40.0, 30.0]]).repeat(6, 1)
    ours = translate.deltas(deltas, torch.zeros(6, 6))
    decoded = head(5).bbox_coder.decode(rois, ours), head(5, stds=stds, means=means).bbox_coder.decode(rois, deltas)
    torch.testing.assert_close(*decoded, rtol=1e-4, atol=1e-4)


def test_deltas_of_another_coder_cannot_be_compared():
    translate = AnswerTranslation(head(5), head(5, coder='TBLRBBoxCoder'))
    with pytest.raises(ConfigError, match='expected the same type as the student, DeltaXYWHBBoxCoder, but got TBLR'):
        translate.deltas(torch.zeros(1, 20), torch.zeros(1, 6))


@pytest.mark.parametrize(
    ('entries', 'kwargs', 'message'),
    [
        ('car', {}, "class_map: expected a dict from student to teacher classes, or a list .*'car'"),
        (['car'], {}, r'class_map: expected an entry for each of the 3 classes of the student .* but got 1'),
        (MAP, dict(students=None), r"student_classes: expected the names of the student's classes in the order"),
        (MAP, dict(students=('a', 'b')), 'student_classes: expected 3 names, one for each class .* but got 2'),
        (
            dict(MAP, wolf='dog'),
            {},
            r'class_map: expected classes of the student \(vehicle, dog, cat\) as keys, .* wolf',
        ),
        (dict(MAP, dog='wolf'), {}, r"class_map\['dog'\]: expected one of the 5 teacher classes \(cat, dog, .*'wolf'"),
        (dict(cat='cat'), {}, r"class_map\['vehicle'\]: expected one of the 5 teacher classes \(cat, dog, .*'vehicle'"),
        (
            [0, 1, 5],
            dict(students=None),
            r'class_map\[2\]: expected an index from 0 to 4 of a teacher class, but got 5',
        ),
        ([0, 1, 1], dict(students=None), "each class of the teacher once, but 'dog' stands for 1 and 2"),
        (dict(MAP, cat=['cat', 'car']), {}, "each class of the teacher once, but 'car' stands for 'vehicle' and 'cat'"),
        (dict(MAP, dog=[]), {}, r"class_map\['dog'\]: expected at least one class of the teacher, but got none"),
        (dict(MAP, dog=None), {}, r"class_map\['dog'\]: expected the name or index of a teacher class, but got None"),
        (MAP, dict(names=None), r"expected an index, because the teacher \(teacher_ckpt\) does not tell .*'car'"),
        (MAP, dict(unmapped='ignore'), r"unmapped_classes: expected one of background, drop, but got 'ignore'"),
    ],
)
def test_what_cannot_be_resolved(entries, kwargs, message):
    with pytest.raises(ConfigError, match=message) as caught:
        resolve(entries, **kwargs)
    assert '\n' not in str(caught.value)


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp('teacher') / 'teacher.pth'
    teacher = tiny.build(tiny.faster_rcnn(num_classes=5, num_rois=12), seed=1)
    torch.save(dict(state_dict=teacher.state_dict(), meta=dict(dataset_meta=dict(classes=TEACHER))), path)
    return str(path)


@pytest.fixture(scope='module')
def student():
    return tiny.build(tiny.faster_rcnn(num_rois=12))


def distill(student, checkpoint, losses=None, class_map=MAP, students=STUDENT, **kwargs):
    teacher = tiny.faster_rcnn(num_classes=5, num_rois=12)
    return tiny.distill(
        copy.deepcopy(student),
        teacher,
        losses,
        teacher_ckpt=checkpoint,
        class_map=class_map,
        student_classes=students,
        **kwargs,
    ).train()


@pytest.mark.parametrize('unmapped', ['background', 'drop'])
def test_the_teacher_answers_in_the_students_classes(student, checkpoint, unmapped):
    model = distill(student, checkpoint, unmapped_classes=unmapped)
    seen = {}
    share, forward = model.distiller.share, model.teacher.roi_head._bbox_forward
    model.distiller.share = lambda proposals, answer: (seen.update(answer=answer), share(proposals, answer))

    def keep(*args):
        seen['own'] = forward(*args)
        return seen['own']

    model.teacher.roi_head._bbox_forward = keep
    losses = tiny.step(model, BATCH)
    assert losses['distill.loss_kd'] > 0
    assert seen['own']['cls_score'].shape[1] == 6
    assert seen['answer'].logits.shape[1] == 4
    torch.testing.assert_close(seen['answer'].logits, translation(unmapped).logits(seen['own']['cls_score']))


def test_every_kind_of_loss_runs_with_a_map(student, checkpoint):
    losses = dict(
        loss_dkd=dict(type='eakd_det.DKDLoss', weighting=dict(type='eakd_det.EntropyWeighting')),
        loss_fcfd=dict(type='eakd_det.FCFDLoss', student_channels=16, teacher_channels=16),
    )
    values = tiny.step(distill(student, checkpoint, losses), BATCH)
    assert all(values[f'distill.{name}'].isfinite() for name in losses)


def test_the_map_moves_with_the_model(student, checkpoint):
    model = distill(student, checkpoint)
    model.double()
    assert model._teacher._answers.scale.dtype == torch.float64
    assert model._teacher._answers.members.dtype == torch.int64


def run_check(model, classes):
    dataset = SimpleNamespace(metainfo=dict(classes=classes))
    ClassCheckHook().before_train(SimpleNamespace(model=model, train_dataloader=SimpleNamespace(dataset=dataset)))


def test_the_map_is_compared_with_the_data_and_logged(student, checkpoint):
    model = distill(student, checkpoint)
    with mock.patch('eakd_det.distillation.class_lists.print_log') as log:
        run_check(model, ('vehicle', 'dog', 'cat'))
    expected = 'vehicle <- car + bus, dog <- dog, cat <- cat; all others (1) of the teacher count as background'
    assert log.call_args.args[0] == f'model.class_map: {expected}'
    with pytest.raises(ConfigError, match=r"index 1 is 'cat' in the training data and 'dog' in model\.student_classes"):
        run_check(model, ('vehicle', 'cat', 'dog'))


def test_a_map_without_names_is_logged_for_the_user_to_read(student, checkpoint):
    model = distill(student, checkpoint, class_map=[2, 1, 0], students=None, unmapped_classes='drop')
    with mock.patch('eakd_det.distillation.class_lists.print_log') as log:
        run_check(model, ('lorry', 'dog', 'cat'))
    assert 'lorry <- car, dog <- dog, cat <- cat; all others (2) of the teacher are dropped' in log.call_args.args[0]


def test_a_map_that_does_not_fit_stops_the_build(student, checkpoint):
    with pytest.raises(ConfigError, match="'wolf'"):
        distill(student, checkpoint, class_map=dict(MAP, dog='wolf'))


def test_data_options_leave_the_mapped_teachers_head_alone():
    def cfg(**more):
        return dict(
            architecture=dict(roi_head=dict(bbox_head=dict(num_classes=80))),
            teacher=dict(roi_head=dict(bbox_head=dict(num_classes=80))),
            **more,
        )

    plain, mapped = cfg(), cfg(class_map=MAP)
    for model in (plain, mapped):
        set_num_classes(model, 3)
        assert model['architecture']['roi_head']['bbox_head']['num_classes'] == 3
    assert plain['teacher']['roi_head']['bbox_head']['num_classes'] == 3
    assert mapped['teacher']['roi_head']['bbox_head']['num_classes'] == 80
