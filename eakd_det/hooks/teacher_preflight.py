"""The hook that measures the teacher before a student learns from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from eakd_det.arguments import Count, UnitInterval, checked
from eakd_det.errors import ConfigError
from eakd_det.evaluation.detector_evaluation import evaluate_on_validation_data
from eakd_det.evaluation.metrics import coco_figures

_KEY = 'custom_hooks.TeacherPreflightHook'


class TeacherPreflightHook(Hook):
    """Measures the teacher's COCO AP on some validation images before training, and refuses to train below a threshold.

    A checkpoint can fit to the last tensor and still be the wrong one: of other data with as many classes, of other
    pixel values, of an early iteration. The AP tells. It is that of the teacher as it will be asked, with BatchNorm
    folded, through its own data preprocessor and its own RPN, in float32. Random numbers and modes are
    as before when training begins. A resumed run is checked, too.

    Args:
        num_images: On how many validation images, evenly spread over the data. Defaults to 100.
        min_ap: AP (IoU 0.5 to 0.95), a fraction, below which training refuses; 0 only logs it. Defaults to 0.1.

    Raises:
        ConfigError: If an argument is out of range; before training, if the AP is too low or cannot be measured:
            without a teacher, without validation data, with ``teacher_options.free_unused`` (the teacher has no RPN
            then), or with a ``class_map`` (the validation data have the student's classes and not the teacher's).

    Example:
        >>> custom_hooks = [dict(type='eakd_det.TeacherPreflightHook', num_images=100, min_ap=0.2)]
    """

    priority = 'ABOVE_NORMAL'

    @checked
    def __init__(self, num_images: Count = 100, min_ap: UnitInterval = 0.1) -> None:
        self.num_images = num_images
        self.min_ap = min_ap

    def before_train(self, runner: Runner) -> None:
        """Measure, log, and compare."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        _require_measurable(model, runner)
        metrics = evaluate_on_validation_data(runner, model.teacher, 'teacher', self.num_images)
        ap = _average_precision(metrics, self.num_images)
        runner.logger.info(
            f'Teacher on {self.num_images} validation images: AP {ap:.3f} (min_ap {self.min_ap}); '
            f'{coco_figures(metrics)}'
        )
        if ap < self.min_ap:
            raise ConfigError(
                f'model.teacher_ckpt: expected a teacher with an AP of at least {self.min_ap} on {self.num_images} '
                f'validation images ({_KEY}.min_ap), but {runner.cfg.model.get("teacher_ckpt")} has {ap:.3f}; is it of '
                'this data, and is model.teacher.data_preprocessor the one it was trained with?'
            )


def _require_measurable(model: Any, runner: Runner) -> None:
    teacher = getattr(model, 'teacher', None)
    if teacher is None:
        raise ConfigError(f'{_KEY}: expected a model with a teacher, but got {type(model).__name__}')
    if getattr(model, 'class_map', None) is not None:
        raise ConfigError(
            f'{_KEY}: expected a teacher with the classes of the validation data, but model.class_map says that it has '
            'others; leave the hook out, and test the teacher on data of its own (tools/test.py --teacher)'
        )
    options = getattr(model, 'teacher_options', None)
    if options is not None and options.free_unused:
        raise ConfigError(
            f'{_KEY}: expected a teacher that can still detect, but model.teacher_options.free_unused=True dropped '
            'parts of it; set that to False, or leave the hook out'
        )
    evaluators = runner.cfg.get('val_evaluator')
    for evaluator in evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]:
        if isinstance(evaluator, dict) and evaluator.get('format_only'):
            raise ConfigError(f'val_evaluator.format_only: {_KEY} needs an evaluator that measures, but got True')


def _average_precision(metrics: Mapping[str, float], num_images: int) -> float:
    """The AP; an evaluator that was given no detection at all returns no figures, which is an AP of 0."""
    if not any(key.split('/')[-1] == 'bbox_mAP' for key in metrics):
        return 0.0
    ap = coco_figures(metrics)['AP']
    if ap is None:
        raise ConfigError(f'{_KEY}.num_images: expected validation images with boxes, but none of {num_images} has any')
    return ap
