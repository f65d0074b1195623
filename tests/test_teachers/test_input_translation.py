"""The teacher sees exactly what its own preprocessor would have made of the loaded images."""

from __future__ import annotations

import pytest
import torch
from mmdet.models import DetDataPreprocessor
from mmengine.model import BaseDataPreprocessor

from eakd_det.teachers import InputTranslation
from tests import tiny

UNEQUAL_STD = dict(mean=[103.53, 116.28, 123.675], std=[57.375, 57.12, 58.395], bgr_to_rgb=False)
NONE = dict()


def preprocessor(pixels, **kwargs):
    return DetDataPreprocessor(pad_size_divisor=32, **pixels, **kwargs)


@pytest.mark.parametrize('teacher', [tiny.RGB, tiny.CAFFE, UNEQUAL_STD, NONE])
@pytest.mark.parametrize('student', [tiny.RGB, tiny.CAFFE, UNEQUAL_STD, NONE])
@pytest.mark.parametrize('pad_value', [0, 7])
def test_translated_batch_equals_the_teachers_own(student, teacher, pad_value):
    sizes = ((70, 90), (64, 33))
    of_student, of_teacher = preprocessor(student), preprocessor(teacher, pad_value=pad_value)
    made = of_student(tiny.batch(sizes))
    expected = of_teacher(tiny.batch(sizes))['inputs']
    actual = InputTranslation(of_student, of_teacher)(made['inputs'], made['data_samples'])
    assert torch.allclose(actual, expected, atol=2e-4, rtol=1e-5)
    assert actual.shape[-2:] == (96, 96)


def test_equal_preprocessors_cost_nothing():
    translation = InputTranslation(preprocessor(tiny.RGB), preprocessor(tiny.RGB))
    images = torch.rand(1, 3, 32, 32)
    assert translation.is_identity
    assert translation(images, []) is images


def test_a_teacher_without_a_preprocessor_wants_what_the_student_wants():
    assert InputTranslation(preprocessor(tiny.RGB), BaseDataPreprocessor()).is_identity


def test_the_students_batch_stays_as_it_was():
    of_student = preprocessor(tiny.RGB)
    made = of_student(tiny.batch())
    before = made['inputs'].clone()
    InputTranslation(of_student, preprocessor(tiny.CAFFE))(made['inputs'], made['data_samples'])
    assert torch.equal(made['inputs'], before)


def test_nothing_of_it_is_saved():
    assert not InputTranslation(preprocessor(tiny.RGB), preprocessor(tiny.CAFFE)).state_dict()
