"""The steps from data to a distilled student, as commands of this package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from eakd_det.checkpoint.student_weights import STUDENT_WEIGHTS
from eakd_det.onecall.students import Student
from eakd_det.paths import tools_dir


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        name: 'teacher', 'student', 'labels' or 'distilled'.
        command: The script and its arguments.
        result: The file that it leaves.
    """

    name: str
    command: Sequence[str]
    result: Path


def steps(
    student: Student,
    out: Path,
    options: Mapping[str, str],
    teacher: str | None = None,
    unlabeled: str | Path | None = None,
    plain: bool = True,
) -> list[Step]:
    """Return the steps.

    Args:
        student: The student with the configs of all steps.
        out: Folder of all results.
        options: Settings for every config, by dotted key, as ``--cfg-options`` takes them.
        teacher: A trained teacher. None trains ``student.teacher`` first, if there is one.
        unlabeled: Folder of photos without labels, which the teacher labels.
        plain: Whether to train the student without a teacher as well.
    """
    shared = [f'{key}={value}' for key, value in options.items()]
    pair = f'{student.pair}+{student.method}'
    found = []
    if teacher is None and student.teacher is not None:
        found.append(_training('teacher', student.teacher, out, shared))
        teacher = str(out / 'teacher' / STUDENT_WEIGHTS)
    if plain and student.student is not None:
        found.append(_training('student', student.student, out, shared))
    taught = [*shared, *([f'model.teacher_ckpt={teacher}'] if teacher else [])]
    if unlabeled is not None:
        labels = out / 'teacher_labels.json'
        script = [str(tools_dir() / 'label_photos.py'), pair, str(unlabeled)]
        command = [*script, '--score', 'auto', '--out', str(labels), '--cfg-options', *taught]
        found.append(Step('labels', command, labels))
        taught += [f'teacher_labels={labels}', f'teacher_images={unlabeled}']
    return [*found, _training('distilled', pair, out, taught)]


def _training(name: str, config: str, out: Path, options: Sequence[str]) -> Step:
    script = [str(tools_dir() / 'train.py'), config, '--work-dir', str(out / name), '--resume']
    return Step(name, [*script, *(['--cfg-options', *options] if options else [])], out / name / STUDENT_WEIGHTS)
