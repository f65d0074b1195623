"""The plan of an experiment: arms, seeds, data and teacher."""

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
        name: Name of its folder and on the command line.
        title: Name in the table.
        config: Config file.
        options: Overrides by dotted key, as in ``--cfg-options``.
    """

    name: str
    title: str
    config: Path
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class TeacherStage:
    """Source of the teacher.

    Args:
        config: Config of a plain detector, with which the teacher is trained once.
        checkpoint: Or the teacher's weights. With neither, every arm uses the teacher of its config.
        options: Overrides for ``config``.
        seed: Seed of its training. Defaults to 0.
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
        seeds: Seeds of each arm.
        student: Name of the arm without distillation; None if there is none.
        control: Name of the arm to compare with in addition to the student, usually plain KD; or None.
        teacher: Source of the teacher.
        questions: Questions that the difference of two arms answers: question, arm, and the arm to subtract.
        sweeps: Names and arms of settings that vary, whose AP varies over the arms by a variance to report.
        data: ``dict(type='digit_scenes', ...)`` with arguments of :func:`eakd_det.lab.scenes.make_digit_scenes`
            generates data and sets ``data_root``; None uses the data of the configs.
        options: Overrides for every config, including the teacher's.
        published: A pair in ``published_coco.json`` whose numbers are shown next to the measured ones.
        source: Part of the command line that names this plan.
        work_dir: Default folder of the runs.
    """

    title: str
    arms: tuple[Arm, ...]
    seeds: tuple[int, ...]
    student: str | None = None
    control: str | None = None
    teacher: TeacherStage = TeacherStage()
    questions: tuple[tuple[str, str, str], ...] = ()
    sweeps: tuple[tuple[str, tuple[str, ...]], ...] = ()
    data: Mapping[str, Any] | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    published: str | None = None
    source: str = ''
    work_dir: Path = Path('work_dirs/experiment')

    def __post_init__(self) -> None:
        """Check the plan."""
        names = [arm.name for arm in self.arms]
        if not names or not self.seeds:
            raise ConfigError(f'arms, seeds: expected at least one of each, but got {names} and {list(self.seeds)}')
        repeated = [name for name, count in Counter([*names, *self.seeds]).items() if count > 1]
        if repeated:
            raise ConfigError(f'arms, seeds: expected each once, but got {repeated} more than once')
        asked = [(f'questions[{question!r}]', name) for question, *pair in self.questions for name in pair]
        swept = [(f'sweeps[{sweep!r}]', name) for sweep, arms in self.sweeps for name in arms]
        for key, name in (('student', self.student), ('control', self.control), *asked, *swept):
            if name is not None and name not in names:
                raise ConfigError(f'{key}: expected the name of an arm ({", ".join(names)}), but got {name!r}')
        if self.published is not None and self.published not in published_pairs():
            known = ', '.join(published_pairs())
            raise ConfigError(f'published: expected one of {known}, but got {self.published!r}')

    def arm(self, name: str) -> Arm:
        """Return the arm with this name.

        Raises:
            ConfigError: If there is no such arm.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise ConfigError(f'--arms: expected some of {", ".join(arm.name for arm in self.arms)}, but got {name!r}')
