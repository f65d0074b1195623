"""A hook that records every evaluation of a run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from eakd_det.arguments import checked
from eakd_det.errors import ConfigError
from eakd_det.evaluation.detector_evaluation import evaluate_on_validation_data
from eakd_det.evaluation.metrics import measured_figures
from eakd_det.evaluation.provenance import describe_run
from eakd_det.evaluation.record import RECORD_NAME, EvalEntry, EvalRecord, Split, Subject, set_aside, utc_now
from eakd_det.files import remove_unfinished

TESTED = 'eakd_det_tested'  # key in the message hub for dict(subject=..., checkpoint=...), set by tools/test.py


class CocoEvalHook(Hook):
    """Writes AP, AP50, AP75, APs, APm and APl of every validation and test to ``<work_dir>/eval_record.json``.

    The figures are those of ``CocoMetric``; the record adds config, seed, versions, times and iteration
    (:class:`eakd_det.evaluation.EvalRecord` reads it). The first process writes it, atomically. A resumed run continues
    its record without the evaluations after the iteration it resumes from. A new run in a used folder, or a record that
    cannot be read, renames the old file. If the record cannot be written (a full disk), the error is logged, training
    continues, and the next evaluation writes the missing entries.

    To keep the best checkpoint by AP, set ``save_best='coco/bbox_mAP'`` in MMEngine's ``CheckpointHook``.

    Args:
        teacher: Evaluate the teacher on the validation data once before training, and record the result.
        file_name: Name of the record in the work folder.

    Raises:
        ConfigError: If ``teacher`` is set and the model has none, or there is no validation data.

    Example:
        >>> custom_hooks = [dict(type='eakd_det.CocoEvalHook', teacher=True)]
    """

    priority = 'LOWEST'  # after CheckpointHook, which settles the best checkpoint

    @checked
    def __init__(self, teacher: bool = False, file_name: str = RECORD_NAME) -> None:
        self.teacher = teacher
        self.file_name = file_name
        self._run: dict[str, Any] | None = None
        self._unwritten: list[EvalEntry] = []
        self._started = time.monotonic()

    def before_run(self, runner: Runner) -> None:
        """Start the clock."""
        self._started = time.monotonic()
        self._run = None

    def before_train(self, runner: Runner) -> None:
        """Start or continue the record, and evaluate the teacher if configured."""
        if self.teacher and _teacher(runner) is None:
            raise ConfigError(
                f'custom_hooks.CocoEvalHook.teacher: expected a model with a teacher, '
                f'but got {type(_model(runner)).__name__}'
            )
        if self.teacher and getattr(_model(runner), 'class_map', None) is not None:
            raise ConfigError(
                'custom_hooks.CocoEvalHook.teacher: expected a teacher with the classes of the validation data, '
                'but got one with a class_map; evaluate it on data of its own'
            )
        if is_main_process():
            self._begin_training(runner)
        if self.teacher:
            self._evaluate_teacher(runner)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Record the student's validation."""
        self._record(runner, 'student', 'val', measured_figures(metrics, runner.val_evaluator))

    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Record a test by ``tools/test.py``."""
        tested = dict(runner.message_hub.get_info(TESTED, None) or {})
        figures = measured_figures(metrics, runner.test_evaluator)
        self._record(runner, tested.get('subject', 'student'), 'test', figures, tested.get('checkpoint'))

    def has_validated(self, runner: Runner) -> bool:
        """Return whether the record has a validation of the current iteration; on the first process."""
        return any(entry.iteration == runner.iter for entry in self._read(runner).of('student', 'val'))

    def _begin_training(self, runner: Runner) -> None:
        path = self._path(runner)
        remove_unfinished(path.parent, path.name)
        record = self._read(runner)
        if runner.iter > 0:
            dropped = record.forget_after(runner.iter)
            if dropped:
                runner.logger.info(f'{path}: dropped {dropped} evaluations from after iteration {runner.iter}')
        elif any(run.get('mode') == 'train' for run in record.runs):
            runner.logger.warning(f'{path} belongs to an earlier run; renamed to {set_aside(path, "previous")}')
            record = EvalRecord()
        self._run = {**_start(runner, 'train'), 'first_iteration': runner.iter}
        record.index_of(self._run)
        self._write(runner, record)

    def _evaluate_teacher(self, runner: Runner) -> None:
        checkpoint = runner.cfg.get('model', {}).get('teacher_ckpt')
        known = self._read(runner).of('teacher', 'val') if is_main_process() else []
        is_known = any(entry.checkpoint == checkpoint for entry in known) and runner.iter > 0
        if _from_main_process(is_known):
            return
        metrics = evaluate_on_validation_data(runner, _teacher(runner), 'teacher')
        figures = measured_figures(metrics, runner.val_evaluator)
        self._record(runner, 'teacher', 'val', figures, checkpoint)
        runner.logger.info(f'teacher: {figures}')

    def _record(
        self,
        runner: Runner,
        subject: Subject,
        split: Split,
        figures: Mapping[str, float | None],
        checkpoint: str | None = None,
    ) -> None:
        if not is_main_process():
            return
        record = self._read(runner)
        if self._run is None:
            self._run = _start(runner, split)
        is_trained_here = subject == 'student' and self._run['mode'] == 'train'
        self._unwritten.append(
            EvalEntry(
                subject=subject,
                split=split,
                iteration=runner.iter if is_trained_here else None,
                epoch=runner.epoch if is_trained_here else None,
                metrics=dict(figures),
                time=utc_now(),
                seconds=round(time.monotonic() - self._started, 3),
                run=0,
                checkpoint=checkpoint,
            )
        )
        for entry in self._unwritten:
            record.forget_same(entry)
        run = record.index_of(self._run)
        record.entries += [replace(entry, run=run) for entry in self._unwritten]
        self._write(runner, record)

    def _path(self, runner: Runner) -> Path:
        return Path(runner.work_dir) / self.file_name

    def _read(self, runner: Runner) -> EvalRecord:
        path = self._path(runner)
        if not path.exists():
            return EvalRecord()
        try:
            return EvalRecord.read(path)
        except ConfigError as error:
            runner.logger.warning(f'{error}; renamed to {set_aside(path, "corrupt")}, and a new record started')
            return EvalRecord()

    def _write(self, runner: Runner, record: EvalRecord) -> None:
        try:
            record.write(self._path(runner))
        except OSError as error:
            runner.logger.error(f'{self._path(runner)} could not be written ({error}); the next evaluation tries again')
        else:
            self._unwritten = []


def _start(runner: Runner, mode: str) -> dict[str, Any]:
    return {**describe_run(runner, mode), 'started': utc_now()}


def _model(runner: Runner) -> Any:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def _teacher(runner: Runner) -> Any:
    return getattr(_model(runner), 'teacher', None)


def _from_main_process(value: bool) -> bool:
    values = [value]
    broadcast_object_list(values)
    return values[0]
