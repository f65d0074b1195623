"""Checks that teacher, student and data have the same class at the same index."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from eakd_det.errors import ConfigError
from eakd_det.sites import num_classes


def require_same_classes(first: Sequence[str], first_name: str, second: Sequence[str], second_name: str) -> None:
    """Raise :class:`ConfigError` unless both lists have the same classes in the same order.

    Example:
        >>> require_same_classes(['cat', 'dog'], 'data', ['dog', 'cat'], 'teacher')
        Traceback (most recent call last):
        ...
        eakd_det.errors.ConfigError: classes differ: index 0 is 'cat' in data and 'dog' in teacher (2 classes differ)
    """
    if len(first) != len(second):
        only_first = [name for name in first if name not in second][:5]
        only_second = [name for name in second if name not in first][:5]
        raise ConfigError(
            f'classes differ: {first_name} has {len(first)} classes and {second_name} has {len(second)}'
            f' (only in {first_name}: {only_first}; only in {second_name}: {only_second})'
        )
    differing = [index for index, (a, b) in enumerate(zip(first, second, strict=True)) if a != b]
    if differing:
        index = differing[0]
        raise ConfigError(
            f'classes differ: index {index} is {first[index]!r} in {first_name} and {second[index]!r} in {second_name}'
            f' ({len(differing)} classes differ)'
        )


class ClassCheckHook(Hook):
    """Compares the classes of data, student and teacher before training, by number, name and order.

    The teacher's names come from its checkpoint; without names only the number is checked. With a ``class_map``, data
    and map are compared instead, and the map is logged. Any model is accepted: without a teacher only data and student
    are compared, and the number of the student's classes only if it can be distilled.

    Raises:
        ConfigError: With the first class that differs.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        """Compare the class lists of training data, student and teacher."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        data_classes = runner.train_dataloader.dataset.metainfo.get('classes')
        if data_classes is None:
            return
        count = num_classes(getattr(model, 'student', model))
        if count is not None and len(data_classes) != count:
            shown = ', '.join(data_classes[:5]) + (', ...' if len(data_classes) > 5 else '')
            raise ConfigError(
                f'train_dataloader.dataset: the data has {len(data_classes)} classes ({shown}), '
                f"but the student's num_classes is {count}"
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
