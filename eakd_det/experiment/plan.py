"""What an experiment is made of: arms, seeds, data and teacher, from a plan file or from a list of configs."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eakd_det.cli.config import read_config
from eakd_det.errors import ConfigError
from eakd_det.experiment.published import published_pairs

_KEYS = {'title', 'arms', 'seeds', 'student', 'control', 'data', 'teacher', 'options', 'published', 'work_dir'}
_ARM_KEYS = {'title', 'config', 'options'}
_TEACHER_KEYS = {'config', 'checkpoint', 'options', 'seed'}


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
        data: ``dict(type='digit_scenes', ...)`` with arguments of :func:`eakd_det.datasets.make_digit_scenes` makes
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
        if any(not isinstance(seed, int) or isinstance(seed, bool) or seed < 0 for seed in self.seeds):
            raise ConfigError(f'seeds: expected whole numbers from 0 on, but got {list(self.seeds)}')
        for key, name in (('student', self.student), ('control', self.control)):
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


def read_plan(path: Path) -> Plan:
    """Read a plan file: an MMEngine config with the arguments of :class:`Plan`.

    ``arms`` is a dict of dicts, by name; paths of configs are relative to the plan file.

    Raises:
        ConfigError: If the file is missing or a key in it cannot work.
    """
    cfg = read_config(str(path)).to_dict()
    unknown = set(cfg) - _KEYS
    if unknown or not isinstance(cfg.get('arms'), dict):
        raise ConfigError(
            f'{path}: expected a plan with arms=dict(...) and some of {", ".join(sorted(_KEYS - {"arms"}))}, '
            f'but got {", ".join(sorted(unknown)) or "no such arms"}'
        )
    arms = tuple(
        Arm(name, arm.get('title', name), _config(path, arm, f'arms.{name}'), arm.get('options') or {})
        for name, arm in cfg['arms'].items()
        if _knows(arm, _ARM_KEYS, f'{path}: arms.{name}')
    )
    teacher = cfg.get('teacher') or {}
    _knows(teacher, _TEACHER_KEYS, f'{path}: teacher')
    names = {arm.name for arm in arms}
    return Plan(
        title=cfg.get('title', path.stem),
        arms=arms,
        seeds=tuple(cfg.get('seeds', (0,))),
        student=cfg.get('student', 'student' if 'student' in names else None),
        control=cfg.get('control', 'kd' if 'kd' in names else None),
        teacher=TeacherStage(
            _config(path, teacher, 'teacher') if teacher.get('config') else None,
            teacher.get('checkpoint'),
            teacher.get('options') or {},
            teacher.get('seed', 0),
        ),
        data=cfg.get('data'),
        options=cfg.get('options') or {},
        published=cfg.get('published'),
        source=str(path),
        work_dir=Path(cfg.get('work_dir', f'work_dirs/experiment/{path.stem}')),
    )


def plan_of_configs(configs: Sequence[Path], seeds: Sequence[int], teacher: str | None = None) -> Plan:
    """A plan out of config files, one an arm, named by what their file names start with.

    Args:
        configs: The files.
        seeds: The seeds.
        teacher: A config of a plain detector, or a checkpoint (``.pth``); see :class:`TeacherStage`.

    Example:
        >>> plan = plan_of_configs([Path('student_r18_demo.py'), Path('kd_r50-r18_demo.py')], [0, 1])
        >>> [arm.name for arm in plan.arms], plan.student, plan.control
        (['student', 'kd'], 'student', 'kd')
    """
    short = [path.stem.split('_')[0] for path in configs]
    unique = len(set(short)) == len(short)
    names = short if unique else [path.stem for path in configs]
    source = f'--configs {" ".join(map(str, configs))} --seeds {" ".join(map(str, seeds))}'
    is_config = teacher is not None and teacher.endswith('.py')
    return Plan(
        title='Experiment',
        arms=tuple(Arm(name, name, path) for name, path in zip(names, configs, strict=True)),
        seeds=tuple(seeds),
        student='student' if 'student' in names else None,
        control='kd' if 'kd' in names else None,
        teacher=TeacherStage(
            config=Path(teacher) if teacher is not None and is_config else None,
            checkpoint=None if is_config else teacher,
        ),
        source=source if teacher is None else f'{source} --teacher {teacher}',
    )


def _config(plan: Path, entry: Mapping[str, Any], key: str) -> Path:
    if not isinstance(entry.get('config'), str):
        raise ConfigError(f'{plan}: {key}.config: expected the path of a config, but got {entry.get("config")!r}')
    path = plan.parent / entry['config']
    if not path.is_file():
        raise ConfigError(f'{plan}: {key}.config: expected a config file, but {path} does not exist')
    return _plain(path)


def _plain(path: Path) -> Path:
    """Without ``..``, as one would type it from here."""
    resolved, here = path.resolve(), Path.cwd()
    return resolved.relative_to(here) if resolved.is_relative_to(here) else resolved


def _knows(entry: Any, keys: set[str], where: str) -> bool:
    if not isinstance(entry, dict) or set(entry) - keys:
        raise ConfigError(f'{where}: expected a dict with some of {", ".join(sorted(keys))}, but got {entry!r}')
    return True
