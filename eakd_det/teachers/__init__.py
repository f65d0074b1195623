"""The frozen teacher: weights, options, and the translation of pixels and classes."""

from __future__ import annotations

from eakd_det.teachers.class_lists import ClassCheckHook, require_same_classes
from eakd_det.teachers.class_map import ClassMap
from eakd_det.teachers.frozen_teacher import FrozenTeacher
from eakd_det.teachers.input_translation import InputTranslation
from eakd_det.teachers.options import TeacherOptions

__all__ = [
    'ClassCheckHook',
    'ClassMap',
    'FrozenTeacher',
    'InputTranslation',
    'TeacherOptions',
    'require_same_classes',
]
