"""Teacher, student and data must mean the same classes by the same index, or the logits teach nonsense."""

from __future__ import annotations

from collections.abc import Sequence

from mmdet.models import BaseDetector
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from eakd_det.distillation.detectors import box_head, num_foreground_classes
from eakd_det.errors import ConfigError

ClassNames = Sequence[str]


def require_same_classes(ours: ClassNames, our_name: str, theirs: ClassNames, their_name: str) -> None:
    """Raise :class:`ConfigError` unless both lists name the same classes in the same order.

    Example:
        >>> require_same_classes(['cat', 'dog'], 'data', ['dog', 'cat'], 'teacher')
        Traceback (most recent call last):
        ...
        eakd_det.errors.ConfigError: classes differ: index 0 is 'cat' in data and 'dog' in teacher (2 classes differ)
    """
    if len(ours) != len(theirs):
        only_ours = [name for name in ours if name not in theirs][:5]
        only_theirs = [name for name in theirs if name not in ours][:5]
        raise ConfigError(
            f'classes differ: {our_name} has {len(ours)} classes and {their_name} has {len(theirs)}'
            f' (only in {our_name}: {only_ours}; only in {their_name}: {only_theirs})'
        )
    differing = [index for index, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b]
    if differing:
        first = differing[0]
        raise ConfigError(
            f'classes differ: index {first} is {ours[first]!r} in {our_name} and {theirs[first]!r} in {their_name}'
            f' ({len(differing)} classes differ)'
        )


def require_same_class_count(student: BaseDetector, teacher: BaseDetector, stages: tuple[int, int]) -> None:
    """Raise :class:`ConfigError` unless both box heads have the same number of classes and of logits."""
    student_head, teacher_head = box_head(student, stages[0]), box_head(teacher, stages[1])
    for attribute, key in (('num_classes', 'num_classes'), ('fc_cls.out_features', 'loss_cls')):
        ours, theirs = _get(student_head, attribute), _get(teacher_head, attribute)
        if ours != theirs:
            raise ConfigError(
                f'architecture.roi_head.bbox_head.{key}: student and teacher must have the same classes, '
                f'but the student has {attribute} {ours} and the teacher (teacher.roi_head.bbox_head) has {theirs}'
            )


def _get(head: object, dotted: str) -> object:
    for name in dotted.split('.'):
        head = getattr(head, name)
    return head


def _some(names: ClassNames) -> str:
    return ', '.join(names[:5]) + (', ...' if len(names) > 5 else '')


class ClassCheckHook(Hook):
    """Before anything trains: the data's classes are the student's and the teacher's, by number, name and order.

    The teacher's names come from its checkpoint's meta data; a checkpoint without names is checked by number only.
    With a ``class_map``, data and map are compared instead, and what stands for what is logged.
    Works with any detector, distilled or not: without a teacher, only data and student are compared.

    Raises:
        ConfigError: Naming the first class that differs and where.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        """Compare the class lists of training data, student and teacher."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        data_classes = runner.train_dataloader.dataset.metainfo.get('classes')
        if data_classes is None:
            return
        student = getattr(model, 'student', model)
        count = num_foreground_classes(student)
        if len(data_classes) != count:
            raise ConfigError(
                f'train_dataloader.dataset: the data has {len(data_classes)} classes ({_some(data_classes)}), '
                f"but the student's roi_head.bbox_head.num_classes is {count}"
            )
        teacher_classes = getattr(model, 'teacher_classes', None)
        class_map = getattr(model, 'class_map', None)
        if class_map is not None:
            if class_map.student_classes is not None:
                require_same_classes(
                    data_classes, 'the training data', class_map.student_classes, 'model.student_classes'
                )
            print_log(f'model.class_map: {class_map.describe(data_classes, teacher_classes)}', logger='current')
        elif teacher_classes is not None:
            require_same_classes(
                data_classes, 'the training data', teacher_classes, "the teacher's checkpoint (teacher_ckpt)"
            )
