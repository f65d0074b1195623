"""``eakd_det.distill``: from a folder of photos to a distilled student."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from eakd_det.datasets.conversion import as_coco
from eakd_det.errors import ConfigError
from eakd_det.files import write_atomically
from eakd_det.inspection.picture import draw_run
from eakd_det.inspection.runs import FinishedRun
from eakd_det.onecall.configs import complete_configs
from eakd_det.onecall.options import split_options
from eakd_det.onecall.result import Distilled, remarks, results_table
from eakd_det.onecall.running import ProgressLine, run_step
from eakd_det.onecall.state import State
from eakd_det.onecall.steps import Step, steps
from eakd_det.onecall.students import Student, choose_student, named_students
from eakd_det.onecall.teachers import Teacher, find_teacher

LOG, TABLE, PICTURE = 'console.log', 'table.md', 'detections.jpg'
_DEFAULT_OUT = Path('work_dirs/distill')


def distill(
    data: str | Path,
    teacher: str | None = None,
    student: str | None = None,
    unlabeled: str | Path | None = None,
    out: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> Distilled:
    """Train a teacher on your photos, a student, and the student with the teacher's help; compare them.

    Each step is a process of its own, with one line of progress; its output goes to ``<out>/<step>/console.log``.
    Stopped at any point, the same call continues. ``<out>`` then has a folder of each training, with the complete
    config that it ran, ``table.md`` and ``detections.jpg``.

    Args:
        data: Folder of the photos with annotations: COCO (docs/custom_data.md), or YOLO's or VOC's layout, which
            the extra ``[convert]`` reads.
        teacher: A checkpoint; the work folder of a run; or a model of MMDetection's zoo, fine-tuned first. None trains
            the teacher that goes with the student first.
        student: A name of ``eakd_det/onecall/students.json`` (``'rtmdet-tiny'``); a config of a detector, of a pair, or
            ``PAIR.py+METHOD``; or the largest size that fits, in parameters (``'5M'``) or milliseconds per photo on
            this machine (``'30ms'``). None is a thin Faster R-CNN, or one with MobileNetV2 if there is a GPU.
        unlabeled: Folder of photos without annotations, which the teacher labels for the student.
        out: Folder of all results. None is ``work_dirs/distill/<name of the data folder>``.
        options: All else. ``method``: a method of configs/methods; ``plain=False``: no student without a teacher; any
            other key is set in every config, such as ``{'train_cfg.max_iters': 500}`` or ``{'classes': 'cat,dog'}``.

    Returns:
        The detector, metrics and paths.

    Raises:
        ConfigError: If an argument, a file or a combination of both cannot work, ``out`` has a run with other
            settings, or a step fails.

    Example:
        >>> result = distill(data='my_data', options={'train_cfg.max_iters': 500})  # doctest: +SKIP
        >>> print(result.table)  # doctest: +SKIP
        >>> result.detector('photo.jpg').above(0.5).names  # doctest: +SKIP
        ['raccoon']
    """
    own, shared = split_options(options or {})
    folder = Path(out) if out is not None else _DEFAULT_OUT / Path(data).resolve().name
    _require_folders(data=data, unlabeled=unlabeled)
    line = ProgressLine()
    given = find_teacher(teacher)
    state = State.of(folder, dict(data=data, teacher=teacher, student=student, unlabeled=unlabeled, **own, **shared))
    chosen, remark = choose_student(state.student or student)
    if chosen.name in named_students():
        state.choose(chosen.name)
    converted = as_coco(Path(data), folder / 'data')
    for text in filter(None, (remark, converted.remark)):
        line.say(text)
    ready = _with_configs(chosen, given, folder, own.get('method'), line)
    trained = given.trained if given else None
    plan = steps(ready, folder, {**converted.options, **shared}, trained, unlabeled, own.get('plain', True))
    for number, step in enumerate(plan, start=1):
        _run(step, state, line, f'[{number}/{len(plan)}] {step.name}')
    return _finish(folder, state, line)


def _require_folders(**folders: str | Path | None) -> None:
    for name, place in folders.items():
        if place is not None and not Path(place).is_dir():
            raise ConfigError(f'{name}: expected a folder, but {place} is not one')


def _with_configs(
    chosen: Student, given: Teacher | None, folder: Path, method: str | None, line: ProgressLine
) -> Student:
    """Return the student with configs for all steps, and with the user's method if there is one."""
    ready = complete_configs(chosen, given, folder)
    if method is not None:
        return replace(ready, method=method)
    if ready.method != chosen.method:
        line.say(f'method: {ready.method}, because {chosen.method} needs the teacher that goes with {chosen.name}')
    return ready


def _run(step: Step, state: State, line: ProgressLine, title: str) -> None:
    if state.has(step):
        line.say(f'{title}: done before')
        return
    line.say(f'{title}: $ python {shlex.join(step.command)}')
    log = step.result.parent / LOG if step.name != 'labels' else step.result.with_suffix('.log')
    cost = run_step(step, log, line, title)
    state.keep(step, cost)
    line.say(f'{title}: done in {cost.seconds / 60:.1f} minutes')


def _finish(folder: Path, state: State, line: ProgressLine) -> Distilled:
    """Measure what no step has measured, draw, write and print the table."""
    run = FinishedRun.find(folder)
    metrics = {name: {**figures, **state.costs(name)} for name, figures in run.figures().items()}
    paths = dict(folder=folder, weights=run.distilled / 'student.pth', student_config=run.distilled / 'student.py')
    if config := run.config_file():
        paths['config'] = config
    table = results_table(metrics)
    write_atomically(folder / TABLE, f'{table}\n'.encode())
    paths.update(table=folder / TABLE, picture=draw_run(run, folder / PICTURE))
    line.say(f'\n{table}\n\n{remarks(metrics)}')
    line.say(f'Picture: {paths["picture"]}')
    return Distilled(metrics, paths)
