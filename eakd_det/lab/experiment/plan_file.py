"""A plan from a file, or from a list of configs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eakd_det.cli.composition import config_files, config_name
from eakd_det.cli.config import read_config
from eakd_det.errors import ConfigError
from eakd_det.lab.experiment.plan import Arm, Plan, TeacherStage

_KEYS = {
    'title',
    'arms',
    'seeds',
    'student',
    'control',
    'questions',
    'data',
    'teacher',
    'options',
    'published',
    'work_dir',
}
_ARM_KEYS = {'title', 'config', 'options'}
_TEACHER_KEYS = {'config', 'checkpoint', 'options', 'seed'}


def read_plan(path: Path) -> Plan:
    """Read a plan file: an MMEngine config with the arguments of :class:`Plan`.

    ``arms`` is a dict of dicts, by name; paths of configs are relative to the plan file. A config may be composed:
    ``config='../pairs/r101-r18_coco.py+ea-kd'``.

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
        Arm(
            name,
            arm.get('title', name),
            _config(path, arm, f'arms.{name}'),
            arm.get('options') or {},
        )
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
        questions=_questions(path, cfg.get('questions') or {}),
        data=cfg.get('data'),
        options=cfg.get('options') or {},
        published=cfg.get('published'),
        source=str(path),
        work_dir=Path(cfg.get('work_dir', f'work_dirs/experiment/{path.stem}')),
    )


def plan_of_configs(configs: Sequence[Path], seeds: Sequence[int], teacher: str | None = None) -> Plan:
    """A plan out of configs, one an arm, named by what their names start with, which is the method.

    Args:
        configs: The files, or ``PAIR.py+METHOD``.
        seeds: The seeds.
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


def _questions(plan: Path, questions: Any) -> tuple[tuple[str, str, str], ...]:
    if not isinstance(questions, dict) or any(
        not isinstance(pair, (list, tuple)) or len(pair) != 2 or not all(isinstance(name, str) for name in pair)
        for pair in questions.values()
    ):
        raise ConfigError(
            f"{plan}: questions: expected {{'Does selection help?': ('ea-kd', 'kd-matched')}}, but got {questions!r}"
        )
    return tuple((str(question), first, second) for question, (first, second) in questions.items())


def _config(plan: Path, entry: Mapping[str, Any], key: str) -> Path:
    if not isinstance(entry.get('config'), str):
        raise ConfigError(f'{plan}: {key}.config: expected the path of a config, but got {entry.get("config")!r}')
    first, plus, method = entry['config'].partition('.py+')
    if method.endswith('.py'):
        method = str(_plain(plan.parent / method))
    config = Path(f'{_plain(plan.parent / first)}{plus}{method}')
    absent = [file for file in config_files(str(config)) if not file.is_file()]
    if absent:
        raise ConfigError(f'{plan}: {key}.config: expected a config file, but {absent[0]} does not exist')
    return config


def _plain(path: Path) -> Path:
    """Without ``..``, as one would type it from here."""
    resolved, here = path.resolve(), Path.cwd()
    return resolved.relative_to(here) if resolved.is_relative_to(here) else resolved


def _knows(entry: Any, keys: set[str], where: str) -> bool:
    if not isinstance(entry, dict) or set(entry) - keys:
        raise ConfigError(f'{where}: expected a dict with some of {", ".join(sorted(keys))}, but got {entry!r}')
    return True
