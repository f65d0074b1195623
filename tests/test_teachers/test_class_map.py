"""Teacher and student with other class lists: who stands for whom, and what becomes of the rest."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from unittest import mock

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.models.model_config import set_num_classes
from eakd_det.sites import SoftmaxScores
from eakd_det.sites.scores import ClassTranslation
from eakd_det.teachers import ClassCheckHook, ClassMap
from tests import tiny

TEACHER = ('cat', 'dog', 'car', 'bus', 'tree')
STUDENT = ('vehicle', 'dog', 'cat')
MAP = {'vehicle': ['car', 'bus'], 'cat': 0}  # and dogs are dogs
BATCH = tiny.batch(((64, 64), (64, 48)))


def resolve(entries=MAP, unmapped='background', students=STUDENT, names=TEACHER, count=3):
    return ClassMap.resolve(entries, unmapped, count, students, len(TEACHER), names)


def test_names_and_indices_become_members():
    class_map = resolve()
    assert class_map.student_classes == ('vehicle', 'dog', 'cat')
    assert class_map.members == ((2, 3), (1,), (0,))
    assert class_map.unmapped == (4,)
    assert resolve([['car', 'bus'], 1, 'cat']) == class_map
    assert resolve([2, 1, 0], students=None, names=None).members == ((2,), (1,), (0,))
    assert resolve(dict(sorted(MAP.items()))) == class_map  # a saved config sorts its keys
    assert resolve({}, students=('dog', 'car'), count=2).members == ((1,), (2,))


def test_unmapped_classes_are_background_or_left_out():
    assert resolve().groups == (((2, 3), (1,), (0,)), (4,))
    assert resolve(unmapped='drop').groups == (((2, 3), (1,), (0,)), ())


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
        (MAP, dict(names=None), r"expected an index, because the teacher \(teacher_ckpt\) does not name .*'car'"),
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
def test_the_teacher_predicts_in_the_students_classes(student, checkpoint, unmapped):
    model = distill(student, checkpoint, unmapped_classes=unmapped)
    seen = {}
    steps, forward = tiny.steps_of(model), model.teacher.roi_head._bbox_forward

    def keep(*args):
        seen['own'] = forward(*args)
        return seen['own']

    model.teacher.roi_head._bbox_forward = keep
    losses = tiny.step(model, BATCH)
    assert losses['distill.loss_kd'] > 0
    assert seen['own']['cls_score'].shape[1] == 6
    assert steps[0].teacher.logits.shape[1] == 4
    translate = ClassTranslation(SoftmaxScores(5), resolve(unmapped=unmapped).groups)
    torch.testing.assert_close(steps[0].teacher.logits, translate(seen['own']['cls_score']))


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
    assert model._teacher._translation.scale.dtype == torch.float64
    assert model._teacher._translation.classes.members.dtype == torch.int64


def run_check(model, classes):
    dataset = SimpleNamespace(metainfo=dict(classes=classes))
    ClassCheckHook().before_train(SimpleNamespace(model=model, train_dataloader=SimpleNamespace(dataset=dataset)))


def test_the_map_is_compared_with_the_data_and_logged(student, checkpoint):
    model = distill(student, checkpoint)
    with mock.patch('eakd_det.teachers.class_lists.print_log') as log:
        run_check(model, ('vehicle', 'dog', 'cat'))
    expected = 'vehicle <- car + bus, dog <- dog, cat <- cat; all others (1) of the teacher count as background'
    assert log.call_args.args[0] == f'model.class_map: {expected}'
    with pytest.raises(ConfigError, match=r"index 1 is 'cat' in the training data and 'dog' in model\.student_classes"):
        run_check(model, ('vehicle', 'cat', 'dog'))


def test_a_map_without_names_is_logged_for_the_user_to_read(student, checkpoint):
    model = distill(student, checkpoint, class_map=[2, 1, 0], students=None, unmapped_classes='drop')
    with mock.patch('eakd_det.teachers.class_lists.print_log') as log:
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
