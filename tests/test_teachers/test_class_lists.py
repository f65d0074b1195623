"""Class lists that differ are named before anything trains."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from eakd_det.errors import ConfigError
from eakd_det.teachers import ClassCheckHook, require_same_classes
from tests import tiny


def runner(model, classes):
    dataset = SimpleNamespace(metainfo=dict(classes=classes))
    return SimpleNamespace(model=model, train_dataloader=SimpleNamespace(dataset=dataset))


@pytest.fixture(scope='module')
def model():
    return tiny.distill(tiny.build(tiny.faster_rcnn()), tiny.build(tiny.faster_rcnn(), seed=1))


def test_same_classes_pass(model):
    model._teacher.classes = ('a', 'b', 'c')
    ClassCheckHook().before_train(runner(model, ('a', 'b', 'c')))


def test_a_teacher_without_names_is_checked_by_number_only(model):
    model._teacher.classes = None
    ClassCheckHook().before_train(runner(model, ('x', 'y', 'z')))


def test_a_plain_detector_is_checked_against_the_data(model):
    with pytest.raises(ConfigError, match=r'the data has 2 classes .*num_classes is 3'):
        ClassCheckHook().before_train(runner(model.student, ('a', 'b')))


def test_the_first_differing_class_is_named(model):
    model._teacher.classes = ('a', 'c', 'b')
    with pytest.raises(ConfigError, match=r"index 1 is 'b' in the training data and 'c' in the teacher's checkpoint"):
        ClassCheckHook().before_train(runner(model, ('a', 'b', 'c')))


def test_lists_of_other_lengths_name_what_is_missing():
    with pytest.raises(ConfigError, match=r"data has 2 classes and teacher has 3 .*only in teacher: \['c'\]"):
        require_same_classes(['a', 'b'], 'data', ['a', 'b', 'c'], 'teacher')
