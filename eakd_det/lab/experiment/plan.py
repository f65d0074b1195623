"""What an experiment is made of: arms, seeds, data and teacher."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eakd_det.errors import ConfigError
from eakd_det.lab.experiment.published import published_pairs


@dataclasses.dataclass(frozen=True)
class Arm:
    """One row of the table.

    Args:
        name: Of its folder and on the command line.
        title: What the table calls it.
        config: Its config file.
        options: What to override in it, by dotted key, as ``--cfg-options`` does.
    """

    name: str
    title: str
    config: Path
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class TeacherStage:
    """Where the teacher comes from.

    Args:
        config: A plain detector's config: the teacher is trained once with it.
        checkpoint: Else the teacher's weights; left out as well, every arm has the one that its config names.
        options: What to override in ``config``.
        seed: Of its training. Defaults to 0.
    """

    config: Path | None = None
    checkpoint: str | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Plan:
    """A grid of arms × seeds over one data set.

    Args:
        title: Heading of the report.
        arms: The arms, in the order of the table.
        seeds: The same for each arm.
        student: Name of the arm without distillation; None if there is none.
        control: Name of the arm that the others are compared with besides the student, plain KD as a rule; or None.
        teacher: Where the teacher comes from.
        questions: What the differences of two arms answer: question, arm, and the arm that is subtracted.
        data: ``dict(type='digit_scenes', ...)`` with arguments of :func:`eakd_det.lab.scenes.make_digit_scenes` makes
            data and sets ``data_root`` to it; None takes the data of the configs.
        options: What to override in every config, the teacher's too.
        published: A pair in ``published_coco.json`` whose numbers stand beside the measured ones.
        source: The part of the command line that names this plan.
        work_dir: Where its runs go unless the command line says otherwise.
    """

    title: str
    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    student: str | None = None
    control: str | None = None
    teacher: TeacherStage = TeacherStage()
    questions: tuple[tuple[str, str, str], ...] = ()
    data: Mapping[str, Any] | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    published: str | None = None
    source: str = ''
    work_dir: Path = Path('work_dirs/experiment')

    def __post_init__(self) -> None:
        """Check what would go wrong late."""
        names = [arm.name for arm in self.arms]
        if not names or not self.seeds:
            raise ConfigError(f'arms, seeds: expected at least one of each, but got {names} and {list(self.seeds)}')
        repeated = [name for name, count in Counter([*names, *self.seeds]).items() if count > 1]
        if repeated:
            raise ConfigError(f'arms, seeds: expected each once, but got {repeated} more than once')
        asked = [(f'questions[{question!r}]', name) for question, *pair in self.questions for name in pair]
        for key, name in (('student', self.student), ('control', self.control), *asked):
            if name is not None and name not in names:
                raise ConfigError(f'{key}: expected the name of an arm ({", ".join(names)}), but got {name!r}')
        if self.published is not None and self.published not in published_pairs():
            known = ', '.join(published_pairs())
            raise ConfigError(f'published: expected one of {known}, but got {self.published!r}')

    def arm(self, name: str) -> Arm:
        """The arm of that name.

        Raises:
            ConfigError: If there is none.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise ConfigError(f'--arms: expected some of {", ".join(arm.name for arm in self.arms)}, but got {name!r}')
