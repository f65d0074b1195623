"""The result of a finished training beside the plain student's and the teacher's, found in their work folders."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from eakd_det.cli.detectors import is_distillation
from eakd_det.errors import ConfigError
from eakd_det.evaluation.record import RECORD_NAME, EvalEntry, EvalRecord

STUDENT_CONFIG = 'student.py'
SEED_NOISE = 3.0  # points of AP: twice the deviation of a difference between seeds, see docs/custom_data.md
WEAK_TEACHER = (
    'The teacher is not above the plain student, and holds back one that learns from it: train it longer, or label '
    'more photos for it.'
)
SAME_DATA = ('val_dataloader',)
_SAME_BUDGET = ('model', 'val_dataloader', 'train_cfg', 'param_scheduler', 'optim_wrapper')


@dataclass(frozen=True)
class Result:
    """The last validation of the run in a work folder.

    Attributes:
        folder: The work folder.
        ap: AP as a fraction.
        seconds: Time from the start of the run to this validation; None if it was resumed.
        distilled: Whether a teacher was there.
    """

    folder: Path
    ap: float
    seconds: float | None
    distilled: bool


def describe_result(cfg: Config) -> str:
    """Return AP of the run that ended in ``cfg.work_dir``, of the plain student and of the teacher, as one line.

    The plain student is a run without a teacher in a folder beside the work folder, of the same student, validation
    data, iterations, schedule and optimiser; the teacher's result is that of the run that left ``model.teacher_ckpt``,
    on the same validation data. What is not found is left out.

    Args:
        cfg: The config of the run; its work folder has ``eval_record.json`` and ``student.py``.

    Returns:
        The line; empty if the run was not validated.
    """
    folder = Path(cfg.work_dir)
    own = _result(folder)
    if own is None:
        return ''
    name = 'distilled student' if is_distillation(cfg.model) else 'detector without distillation'
    parts = [f'{name} {100 * own.ap:.1f}']
    plain = plain_student(folder) if is_distillation(cfg.model) else None
    if plain is not None:
        parts.insert(0, f'student without distillation {100 * plain.ap:.1f} ({plain.folder})')
    checkpoint = cfg.model.get('teacher_ckpt')
    teacher = _result(Path(checkpoint).parent) if checkpoint and '://' not in checkpoint else None
    if teacher is not None and not agrees(folder, teacher.folder, SAME_DATA):
        teacher = None
    if teacher is not None:
        parts.append(f'teacher {100 * teacher.ap:.1f}')
    sentences = [f'AP on the validation data: {", ".join(parts)}.', *_costs(own, plain)]
    if plain is not None:
        sentences.append(
            f'Distillation: {100 * (own.ap - plain.ap):+.1f}; with one seed each, less than {SEED_NOISE:g} points may '
            'be chance (docs/custom_data.md).'
        )
        if teacher is not None and teacher.ap <= plain.ap:
            sentences.append(WEAK_TEACHER)
    return ' '.join(sentences)


def _costs(own: Result, plain: Result | None) -> list[str]:
    costs = [_peak_memory()]
    if own.seconds:
        ratio = f' ({own.seconds / plain.seconds:.2f} times the plain student)' if plain and plain.seconds else ''
        costs.insert(0, f'{own.seconds / 60:.1f} minutes{ratio}')
    return [f'This run: {", ".join(filter(None, costs))}.'] if any(costs) else []


def _peak_memory() -> str:
    if torch.cuda.is_available():
        return f'{torch.cuda.max_memory_allocated() / 2**20:,.0f} MiB of GPU memory'
    if sys.platform == 'win32':
        return ''
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB on Linux, bytes on macOS
    return f'{peak / (2**20 if sys.platform == "darwin" else 2**10):,.0f} MiB of memory'


def plain_student(folder: Path) -> Result | None:
    """Return the newest comparable run without a teacher beside ``folder``."""
    records = sorted(folder.parent.glob(f'*/{RECORD_NAME}'), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in records:
        other = path.parent
        if other.resolve() == folder.resolve() or not agrees(folder, other, _SAME_BUDGET):
            continue
        result = _result(other)
        if result is not None and not result.distilled:
            return result
    return None


def _result(folder: Path) -> Result | None:
    try:
        record = EvalRecord.read(folder / RECORD_NAME)
    except ConfigError:
        return None
    last: EvalEntry | None = record.last('student', 'val')
    if last is None or last.metrics.get('AP') is None:
        return None
    run = record.runs[last.run]
    model = _assignments(str(run.get('config', {}).get('text'))).get('model', '')
    seconds = last.seconds if run.get('first_iteration') == 0 else None
    return Result(folder, float(last.metrics['AP'] or 0.0), seconds, 'architecture=' in model)


def agrees(folder: Path, other: Path, keys: tuple[str, ...]) -> bool:
    """Whether the students' configs in both folders have the same values of ``keys``."""
    sides = []
    for path in (folder / STUDENT_CONFIG, other / STUDENT_CONFIG):
        found = _assignments(path.read_text(encoding='utf-8')) if path.is_file() else {}
        sides.append([found.get(key) for key in keys])
    return sides[0] == sides[1] and None not in sides[0]


def _assignments(text: str) -> dict[str, str]:
    """Return the source of each top-level assignment, without running it."""
    try:
        body: list[Any] = list(ast.parse(text).body)
    except SyntaxError:
        return {}
    return {
        node.targets[0].id: ast.unparse(node.value)
        for node in body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
