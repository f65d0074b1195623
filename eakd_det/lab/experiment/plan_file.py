"""A plan from a file, or from a list of configs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from eakd_det.arguments import Constraint, CountOrZero, from_option_dict
from eakd_det.cli.composition import config_files, config_name
from eakd_det.cli.config import read_config
from eakd_det.errors import ConfigError
from eakd_det.lab.experiment.plan import Arm, Plan, TeacherStage
from eakd_det.paths import short_path

Pair = Annotated[
    Sequence[str], Constraint("two arms, as in ('ea-kd', 'kd-matched')", lambda pair: len(pair) == 2 and all(pair))
]

Sweep = Annotated[
    Sequence[str], Constraint('two arms or more', lambda arms: len(set(arms)) == len(arms) > 1 and all(arms))
]


@dataclasses.dataclass(frozen=True)
class _ArmEntry:
    config: str = ''
    title: str | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class _TeacherEntry:
    config: str | None = None
    checkpoint: str | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    seed: CountOrZero = 0


@dataclasses.dataclass(frozen=True)
class _PlanFile:
    arms: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    title: str | None = None
    seeds: Sequence[CountOrZero] = (0,)
    student: str | None = 'student'
    control: str | None = 'kd'
    questions: Mapping[str, Pair] | None = None
    sweeps: Mapping[str, Sweep] | None = None
    data: Mapping[str, Any] | None = None
    teacher: Mapping[str, Any] | None = None
    options: Mapping[str, Any] | None = None
    published: str | None = None
    work_dir: str | None = None


def read_plan(path: Path) -> Plan:
    """Read a plan file: an MMEngine config with the arguments of :class:`Plan`.

    ``arms`` is a dict of dicts, by name; paths of configs are relative to the plan file. A config may be composed:
    ``config='../pairs/r101-r18_coco.py+ea-kd'``. ``student`` and ``control`` default to the arms named
    'student' and 'kd', if they exist. Names that begin with ``_`` are the file's own.

    Raises:
        ConfigError: If the file is missing or a key in it is invalid.
    """
    content = {key: value for key, value in read_config(str(path)).to_dict().items() if not key.startswith('_')}
    try:
        return _plan(path, from_option_dict(_PlanFile, content, 'plan'), content)
    except ConfigError as error:
        raise ConfigError(f'{path}: {str(error).removeprefix("plan.")}') from error


def _plan(path: Path, file: _PlanFile, given: Mapping[str, Any]) -> Plan:
    teacher = from_option_dict(_TeacherEntry, file.teacher, 'teacher')
    entries = {name: from_option_dict(_ArmEntry, arm, f'arms.{name}') for name, arm in file.arms.items()}
    arms = tuple(
        Arm(name, arm.title or name, _config(path, arm.config, f'arms.{name}'), arm.options)
        for name, arm in entries.items()
    )
    return Plan(
        title=file.title or path.stem,
        arms=arms,
        seeds=tuple(file.seeds),
        student=file.student if 'student' in given or 'student' in entries else None,
        control=file.control if 'control' in given or 'kd' in entries else None,
        teacher=TeacherStage(
            None if teacher.config is None else _config(path, teacher.config, 'teacher'),
            teacher.checkpoint,
            teacher.options,
            teacher.seed,
        ),
        questions=tuple((question, pair[0], pair[1]) for question, pair in (file.questions or {}).items()),
        sweeps=tuple((sweep, tuple(arms)) for sweep, arms in (file.sweeps or {}).items()),
        data=file.data,
        options=file.options or {},
        published=file.published,
        source=str(path),
        work_dir=Path(file.work_dir or f'work_dirs/experiment/{path.stem}'),
    )


def plan_of_configs(configs: Sequence[Path], seeds: Sequence[int], teacher: str | None = None) -> Plan:
    """Return a plan with one arm per config, named after the method with which the config's name starts.

    Args:
        configs: The files, or ``PAIR.py+METHOD``.
        seeds: Seeds of each arm.
        teacher: A config of a plain detector, or a checkpoint (``.pth``); see :class:`TeacherStage`.

    Example:
        >>> plan = plan_of_configs([Path('student_r18_demo.py'), Path('kd_r50-r18_demo.py')], [0, 1])
        >>> [arm.name for arm in plan.arms], plan.student, plan.control
        (['student', 'kd'], 'student', 'kd')
    """
    full = [config_name(str(config)) for config in configs]
    short = [name.split('_')[0] for name in full]
    names = short if len(set(short)) == len(short) else full
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


def _config(plan: Path, config: str, key: str) -> Path:
    first, plus, method = config.partition('.py+')
    if method.endswith('.py'):
        method = str(short_path(plan.parent / method))
    path = Path(f'{short_path(plan.parent / first)}{plus}{method}')
    absent = [file for file in config_files(str(path)) if not file.is_file()]
    if absent:
        raise ConfigError(f'{key}.config: expected a config file, but {absent[0]} does not exist')
    return path
