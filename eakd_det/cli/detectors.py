"""Select the detector of a config that a tool runs: the student, the teacher, or the only one."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Literal

from mmengine.config import Config, ConfigDict
from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import nn

from eakd_det.checkpoint import checkpoint_classes
from eakd_det.errors import ConfigError
from eakd_det.models import read_model_config
from eakd_det.models.model_config import set_num_classes

Side = Literal['student', 'teacher']
_KEYS: dict[Side, str] = {'student': 'architecture', 'teacher': 'teacher'}


def is_distillation(model: dict[str, Any]) -> bool:
    """Return whether a model config is an algorithm with a student, of this package or of MMRazor.

    Example:
        >>> is_distillation(dict(type='mmrazor.SingleTeacherDistill', architecture=dict(), teacher=dict()))
        True
    """
    return 'architecture' in model


def detector_config(cfg: Config, side: Side) -> ConfigDict:
    """Return the model config of one side of ``cfg``, or the model itself if it does not distil.

    Raises:
        ConfigError: If there is no such side, or it is neither a dict nor the path of a config.
    """
    model = cfg.model
    if not is_distillation(model):
        if side == 'teacher':
            raise ConfigError(
                f"--teacher: expected a distillation config with model.teacher, but {cfg.filename}'s model is "
                f'{model.get("type")!r}; test it without --teacher'
            )
        return copy.deepcopy(model)
    detector = copy.deepcopy(read_model_config(model.get(_KEYS[side]), f'model.{_KEYS[side]}'))
    if side == 'student' and model.get('data_preprocessor') is not None:
        detector['data_preprocessor'] = copy.deepcopy(model.data_preprocessor)
    return detector


def set_teacher_classes(model: dict[str, Any], checkpoint: Mapping[str, Any]) -> None:
    """Give the teacher of ``model`` the number of classes that its checkpoint names, if a ``class_map`` is set.

    Without a map, teacher and student have the classes of the data.
    """
    classes = checkpoint_classes(checkpoint)
    if model.get('class_map') is not None and classes is not None:
        set_num_classes(model.get('teacher'), len(classes))


def unwrap(model: nn.Module) -> nn.Module:
    """Return the model without wrappers for several devices or test-time augmentation."""
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.get_submodule('module')
    return model
