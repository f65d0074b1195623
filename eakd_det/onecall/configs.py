"""Configs of the steps that no shipped file has: a student or a teacher of the user's own choice."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmdet.registry import MODELS
from mmdet.utils import register_all_modules
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope

from eakd_det.cli.config import read_config
from eakd_det.errors import ConfigError
from eakd_det.models import read_model_config
from eakd_det.models.model_config import set_num_classes
from eakd_det.onecall.students import Student
from eakd_det.onecall.teachers import Teacher

# It fits any teacher; features and inherited weights need layers that match.
_OTHER_TEACHER_METHOD = 'ea-kd'


def complete_configs(student: Student, teacher: Teacher | None, folder: Path) -> Student:
    """Return ``student`` with configs for every step; those that are not shipped are written into ``folder``.

    Raises:
        ConfigError: If it is not said how to train a teacher for this student.
    """
    model = teacher.model if teacher else None
    if teacher is None and student.teacher is None and student.student is not None:
        raise ConfigError(
            f'teacher: expected a checkpoint or a work folder, because no named teacher goes with {student.student}'
        )
    if teacher is not None and teacher.fine_tune:
        student = replace(student, teacher=_write_teacher(student, teacher, folder))
    if student.pair is not None and (model is None or _is_of_pair(model, student.pair)):
        return student
    if student.pair is None and model is None:
        model = read_config(str(student.teacher)).model.to_dict() if student.teacher else None
    if model is None:
        raise ConfigError(
            f'teacher: expected a work folder with student.py and student.pth, because {student.student} does not say '
            'what its teacher is'
        )
    return replace(student, pair=_write_pair(student, model, folder), method=_method(student))


def _is_of_pair(teacher: dict[str, Any], pair: str) -> bool:
    """Whether a teacher has the layers of the pair's own, apart from the number of classes."""
    layers = []
    register_all_modules(init_default_scope=False)
    for model in (copy.deepcopy(teacher), read_model_config(read_config(pair).model.teacher, 'model.teacher')):
        set_num_classes(model, 1)
        with DefaultScope.overwrite_default_scope('mmdet'):
            layers.append({name: tensor.shape for name, tensor in MODELS.build(ConfigDict(model)).state_dict().items()})
    return layers[0] == layers[1]


def _method(student: Student) -> str:
    return student.method if student.pair is None else _OTHER_TEACHER_METHOD


def _write_pair(student: Student, teacher: dict[str, Any], folder: Path) -> str:
    """Write the pair's config with another teacher, or a pair of a plain student's config."""
    cfg = read_config(str(student.pair or student.student))
    if student.pair is None:
        cfg.model = dict(
            type='eakd_det.ProposalDistill',
            architecture=copy.deepcopy(cfg.model),
            teacher=teacher,
            distiller=dict(type='eakd_det.ProposalDistiller'),
        )
    else:
        cfg.model.pop('teacher')
        cfg.model.teacher = teacher
    for side in ('architecture', 'teacher'):
        model = read_model_config(cfg.model[side], f'model.{side}')
        if 'bbox_head' in model and 'roi_head' not in model:  # dense, see configs/_base_/hooks_dense.py
            cfg.setdefault('loss_options', dict(loss_kd=dict(reduction='objects', weighting=dict(tau=1.0))))
    return _dump(cfg, folder / 'pair.py')


def _write_teacher(student: Student, teacher: Teacher, folder: Path) -> str:
    base = student.teacher or student.student
    if base is None:
        raise ConfigError('teacher: expected a trained teacher with a pair, but this one has to be fine-tuned first')
    cfg = read_config(base)
    cfg.model = copy.deepcopy(teacher.model)
    cfg.model['backbone']['init_cfg'] = None  # the weights to start from have everything
    cfg.load_from = teacher.checkpoint
    return _dump(cfg, folder / 'teacher_config.py')


def _dump(cfg: Any, path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    cfg.dump(str(path))
    return str(path)
