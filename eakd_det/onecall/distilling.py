"""``eakd_det.distill``: from a folder of photos to a distilled student."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from eakd_det.datasets.conversion import as_coco
from eakd_det.errors import ConfigError
from eakd_det.files import write_atomically
from eakd_det.inspection.picture import draw_run
from eakd_det.inspection.runs import FinishedRun
from eakd_det.onecall.configs import complete_configs
from eakd_det.onecall.result import Distilled, results_table
from eakd_det.onecall.running import ProgressLine, run_step
from eakd_det.onecall.state import State
from eakd_det.onecall.steps import Step, steps
from eakd_det.onecall.students import choose_student
from eakd_det.onecall.teachers import find_teacher

LOG, TABLE, PICTURE = 'console.log', 'table.md', 'detections.jpg'
_DEFAULT_OUT = Path('work_dirs/distill')
_OWN_OPTIONS = {'method': str, 'plain': bool}


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
        data: Folder of the photos with annotations: COCO as in docs/custom_data.md, or YOLO's or VOC's layout, which
            the extra ``[convert]`` reads.
        teacher: A checkpoint; the work folder of a run; or a model of MMDetection's zoo, fine-tuned first. None trains
            the teacher that goes with the student first.
        student: A name of ``eakd_det/onecall/students.json`` (``'gfl_r18w16'``); a config of a detector, of a pair, or
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
    own, shared = _split(options or {})
    folder = Path(out) if out is not None else _DEFAULT_OUT / Path(data).resolve().name
    for name, place in (('data', data), ('unlabeled', unlabeled)):
        if place is not None and not Path(place).is_dir():
            raise ConfigError(f'{name}: expected a folder, but {place} is not one')
    line = ProgressLine()
    chosen, remark = choose_student(student)
    given = find_teacher(teacher)
    state = State.of(folder, dict(data=data, teacher=teacher, student=student, unlabeled=unlabeled, **own, **shared))
    converted = as_coco(Path(data), folder / 'data')
    for text in filter(None, (remark, converted.remark)):
        line.say(text)
    usual, chosen = chosen.method, complete_configs(chosen, given, folder)
    if chosen.method != usual and 'method' not in own:
        line.say(f'method: {chosen.method}, because {usual} needs the teacher that goes with {chosen.name}')
    plan = steps(
        replace(chosen, method=own.get('method', chosen.method)),
        folder,
        {**converted.options, **shared},
        None if given is None or given.fine_tune else given.checkpoint,
        None if unlabeled is None else str(unlabeled),
        own.get('plain', True),
    )
    for number, step in enumerate(plan, start=1):
        _run(step, state, line, f'[{number}/{len(plan)}] {step.name}')
    return _finish(folder, plan, state, line)


def _split(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Split options into those of this function and those of configs, as ``--cfg-options`` takes them."""
    own = {key: value for key, value in options.items() if key in _OWN_OPTIONS}
    for key, value in own.items():
        if not isinstance(value, _OWN_OPTIONS[key]):
            raise ConfigError(f'options.{key}: expected a {_OWN_OPTIONS[key].__name__}, but got {value!r}')
    shared = {key: value for key, value in options.items() if key not in own}
    return own, {key: _as_text(value) for key, value in _flat(shared)}


def _flat(options: Mapping[str, Any], prefix: str = '') -> Iterator[tuple[str, Any]]:
    for key, value in options.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f'{prefix}{key}.')
        else:
            yield f'{prefix}{key}', value


def _as_text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f'[{",".join(_as_text(item) for item in value)}]'
    return str(value)


def _run(step: Step, state: State, line: ProgressLine, title: str) -> None:
    if state.has(step):
        line.say(f'{title}: done before')
        return
    line.say(f'{title}: $ python {shlex.join(step.command)}')
    log = step.result.parent / LOG if step.name != 'labels' else step.result.with_suffix('.log')
    cost = run_step(step, log, line, title)
    state.keep(step, cost)
    line.say(f'{title}: done in {cost.seconds / 60:.1f} minutes')


def _finish(folder: Path, plan: Sequence[Step], state: State, line: ProgressLine) -> Distilled:
    """Measure what no step has measured, draw, write and print the table."""
    run = FinishedRun.find(folder)
    metrics = {name: {**figures, **state.costs(name)} for name, figures in run.figures().items()}
    paths = dict(folder=folder, weights=run.distilled / 'student.pth', student_config=run.distilled / 'student.py')
    if config := run.config_file():
        paths['config'] = config
    table = results_table(metrics)
    write_atomically(folder / TABLE, f'{table}\n'.encode())
    paths.update(table=folder / TABLE, picture=draw_run(run, folder / PICTURE))
    line.say(f'\n{table}\n\nAP on the validation photos, in %. With one seed each, less than 3 points may be chance.')
    line.say(f'Picture: {paths["picture"]}')
    return Distilled(metrics, paths)
