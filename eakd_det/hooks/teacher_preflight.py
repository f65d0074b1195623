"""Measure the teacher before training."""

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
    """Measure the teacher's COCO AP on some validation images before training; refuse to train below a threshold.

    A checkpoint can match in every tensor and still be wrong: trained on other data with as many classes, on other
    pixel values, or saved too early. The teacher is measured as it is used, with BatchNorm folded and its own data
    preprocessor, and with its own RPN, in float32. Random states and training modes are restored afterwards. Resumed
    runs are checked as well.

    Args:
        num_images: Number of validation images, evenly spread over the data. Defaults to 100.
        min_ap: Lowest AP (IoU 0.5 to 0.95), as a fraction; 0 only logs it. Defaults to 0.1.

    Raises:
        ConfigError: If an argument is out of range; before training, if the AP is too low or cannot be measured:
            without a teacher, without validation data, with ``teacher_options.free_unused`` (which drops the
            teacher's RPN), or with a ``class_map`` (the validation data have the student's classes).

    Example:
        >>> custom_hooks = [dict(type='eakd_det.TeacherPreflightHook', num_images=100, min_ap=0.2)]
    """

    priority = 'ABOVE_NORMAL'

    @checked
    def __init__(self, num_images: Count = 100, min_ap: UnitInterval = 0.1) -> None:
        self.num_images = num_images
        self.min_ap = min_ap

    def before_train(self, runner: Runner) -> None:
        """Measure and log the AP; refuse to train if it is too low."""
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
                f'validation images ({_KEY}.min_ap), but {runner.cfg.model.get("teacher_ckpt")} has {ap:.3f}; check '
                'that it was trained on this data and with model.teacher.data_preprocessor'
            )


def _require_measurable(model: Any, runner: Runner) -> None:
    teacher = getattr(model, 'teacher', None)
    if teacher is None:
        raise ConfigError(f'{_KEY}: expected a model with a teacher, but got {type(model).__name__}')
    if getattr(model, 'class_map', None) is not None:
        raise ConfigError(
            f'{_KEY}: expected a teacher with the classes of the validation data, but model.class_map is set; '
            'remove the hook, and test the teacher on its own data (tools/test.py --teacher)'
        )
    options = getattr(model, 'teacher_options', None)
    if options is not None and options.free_unused:
        raise ConfigError(
            f'{_KEY}: expected a complete teacher, but model.teacher_options.free_unused=True drops its RPN; set it to '
            'False, or remove the hook'
        )
    evaluators = runner.cfg.get('val_evaluator')
    for evaluator in evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]:
        if isinstance(evaluator, dict) and evaluator.get('format_only'):
            raise ConfigError(f'val_evaluator.format_only: expected False, because {_KEY} needs AP, but got True')


def _average_precision(metrics: Mapping[str, float], num_images: int) -> float:
    """Return the AP; without any detection the evaluator returns no figures, which counts as 0."""
    if not any(key.split('/')[-1] == 'bbox_mAP' for key in metrics):
        return 0.0
    ap = coco_figures(metrics)['AP']
    if ap is None:
        raise ConfigError(f'{_KEY}.num_images: expected validation images with boxes, but none of {num_images} has one')
    return ap
