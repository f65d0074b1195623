"""The students with a name, and the choice among them by size or speed; the table is ``students.json``."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.registry import DefaultScope

from eakd_det.cli.composition import config_files
from eakd_det.cli.config import read_config
from eakd_det.errors import ConfigError
from eakd_det.export.speed import median_seconds
from eakd_det.paths import configs_dir

_LIMIT = re.compile(r'(?P<number>[\d.]+)\s*(?P<unit>M|ms)')


@dataclass(frozen=True)
class Student:
    """A student with the teacher that goes with it.

    Attributes:
        name: Its name, or that of its config.
        student: Config of the plain student; None for a pair's own.
        teacher: Config that trains the teacher; None if the pair brings a trained one.
        pair: Config of the pair; None for a student's config alone.
        method: The method to distil with.
    """

    name: str
    student: str | None
    teacher: str | None
    pair: str | None
    method: str


_CONFIGS = ('student', 'teacher', 'pair')


@functools.cache
def named_students() -> dict[str, Student]:
    """Return the students of the table by their names.

    Example:
        >>> list(named_students())[:3]
        ['faster-rcnn_r18w16', 'faster-rcnn_r18w16_from-mv2', 'gfl_r18w16']
    """
    root = configs_dir()
    return {
        name: Student(name, method=row['method'], **{key: str(root / row[key]) for key in _CONFIGS})
        for name, row in _table().items()
    }


def choose_student(student: str | None) -> tuple[Student, str]:
    """Return the student that the user means, and a remark on the choice.

    Args:
        student: A name of the table; a config of a plain detector, of a pair, or ``PAIR.py+METHOD``; or the largest
            size that fits: parameters in millions (``'5M'``), or milliseconds per photo on this machine (``'30ms'``).
            None is the table's default for this machine. Without a GPU, default and sizes choose among the students
            whose ``machine`` is 'cpu'. Those marked ``by_name`` have to be named.

    Raises:
        ConfigError: If there is no such student, or none fits.
    """
    table = named_students()
    if student is None:
        machine = _machine()
        name = next(name for name, row in _table().items() if row.get('default') and row['machine'] == machine)
        return table[name], f'student: {name}, the default {"with" if machine == "gpu" else "without"} a GPU'
    if student in table:
        return table[student], ''
    limit = _LIMIT.fullmatch(student.strip())
    if limit:
        return _largest(float(limit['number']), limit['unit'])
    files = config_files(student)
    if not files[0].is_file():
        raise ConfigError(
            f'student: expected one of {", ".join(table)}, a config file, or a size such as 5M (parameters) or 30ms, '
            f'but got {student!r}'
        )
    return _of_config(student, files[0]), ''


def _of_config(config: str, first: Path) -> Student:
    _, plus, method = config.partition('.py+')
    cfg = read_config(str(first))
    if isinstance((cfg.get('model') or {}).get('distiller'), dict):
        return Student(first.stem, None, None, str(first), method if plus else 'ea-kd')
    kind = (cfg.get('model') or {}).get('type')
    like = next((each for each in named_students().values() if read_config(str(each.student)).model.type == kind), None)
    return Student(first.stem, config, like.teacher if like else None, None, 'ea-kd')


def _largest(limit: float, unit: str) -> tuple[Student, str]:
    """Return the named student with most parameters among those within ``limit`` that can be trained here."""
    measured = []
    for name, student in named_students().items():
        row = _table()[name]
        if row.get('by_name') or (_machine() == 'cpu' and row['machine'] == 'gpu'):
            continue
        millions, milliseconds = measure(student)
        measured.append((millions, milliseconds, name))
    value = {'M': lambda row: row[0], 'ms': lambda row: row[1]}[unit]
    fitting = [row for row in measured if value(row) <= limit]
    listed = ', '.join(f'{name} {millions:.1f}M {milliseconds:.0f}ms' for millions, milliseconds, name in measured)
    if not fitting:
        raise ConfigError(
            f'student: expected a size that fits one of the named students for this machine, but none is within '
            f'{limit:g}{unit} ({listed})'
        )
    _, _, name = max(fitting)
    return named_students()[name], f'student: {name}, the largest within {limit:g}{unit} ({listed})'


def measure(student: Student) -> tuple[float, float]:
    """Return a student's parameters in millions, and its milliseconds for a photo of the size that it reads."""
    cfg = read_config(str(student.student))
    register_all_modules(init_default_scope=False)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(cfg.model).eval()
    millions = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    width, height = _scale(cfg)
    size = dict(img_shape=(height, width), ori_shape=(height, width), scale_factor=(1.0, 1.0))
    photo = dict(inputs=[torch.zeros(3, height, width, dtype=torch.uint8)], data_samples=[DetDataSample(metainfo=size)])
    with torch.no_grad():
        seconds = median_seconds(lambda: model.test_step(photo), number=5)
    return millions, 1e3 * seconds


def _scale(cfg: Config) -> tuple[int, int]:
    steps = cfg.val_dataloader.dataset.pipeline
    scale = next((step['scale'] for step in steps if step.get('scale')), (1333, 800))
    return int(scale[0]), int(scale[1])


def _machine() -> str:
    return 'gpu' if torch.cuda.is_available() else 'cpu'


@functools.cache
def _table() -> dict[str, dict[str, Any]]:
    content: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / 'students.json').read_text())
    return content
