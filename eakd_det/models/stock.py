"""Configs of the plain student for stock MMDetection."""

from __future__ import annotations

import copy
from typing import Any

from mmengine.config import Config

from eakd_det.errors import ConfigError
from eakd_det.models.model_config import read_model_config
from eakd_det.names import SCOPE

_PREFIX = f'{SCOPE}.'
_STOCK_TYPES = {f'{_PREFIX}MobileNetV2': 'mmdet.MobileNetV2'}


def stock_student_config(cfg: Config) -> Config:
    """Return the config of the student alone, for stock MMDetection.

    ``model`` becomes the student (``model.architecture`` of a distillation config, or ``model`` itself), types of this
    package become compatible types of MMDetection, and hooks and imports of this package are removed. With the
    ``student.pth`` of the run it works without ``eakd_det``::

        stock_student_config(cfg).dump('student.py')
        mmdet.apis.init_detector('student.py', 'student.pth')

    Args:
        cfg: A config of a distillation run or of a plain detector, to which the data options
            (:func:`eakd_det.datasets.apply_data_options`) have been applied.

    Raises:
        ConfigError: If the student has a component of this package without a counterpart in MMDetection.

    Example:
        >>> distilled = Config(dict(model=dict(
        ...     type='eakd_det.ProposalDistill',
        ...     architecture=dict(type='FasterRCNN', backbone=dict(type='eakd_det.MobileNetV2')))))
        >>> stock_student_config(distilled).model
        {'type': 'FasterRCNN', 'backbone': {'type': 'mmdet.MobileNetV2'}}
    """
    content = copy.deepcopy(cfg.to_dict())
    for part in ('distiller', 'loss_options'):  # of the method and the pair that the config inherits from
        content.pop(part, None)
    content['model'] = _stock_types(_student(content.get('model')), 'model')
    hooks = [hook for hook in content.pop('custom_hooks', None) or [] if not _is_of_package(hook.get('type'))]
    if hooks:
        content['custom_hooks'] = hooks
    imports = content.get('custom_imports')
    if imports:
        kept = [name for name in imports.get('imports', []) if name.split('.')[0] != SCOPE]
        content['custom_imports'] = {**imports, 'imports': kept}
    return Config(content, cfg_text=cfg.text, filename=cfg.filename)


def _student(model: Any) -> Any:
    if not isinstance(model, dict):
        raise ConfigError(f'model: expected a dict with the detector or its distillation, but got {model!r}')
    if 'architecture' not in model:
        return model
    student = read_model_config(model['architecture'], 'model.architecture').to_dict()
    if model.get('data_preprocessor') is not None:  # an algorithm's own replaces its student's
        student['data_preprocessor'] = model['data_preprocessor']
    return student


def _stock_types(node: Any, key: str) -> Any:
    if isinstance(node, dict):
        node = {name: _stock_types(value, f'{key}.{name}') for name, value in node.items()}
        if _is_of_package(node.get('type')):
            if node['type'] not in _STOCK_TYPES:
                raise ConfigError(
                    f'{key}.type: {node["type"]} is not part of MMDetection, '
                    'so the student cannot be used without eakd_det'
                )
            node['type'] = _STOCK_TYPES[node['type']]
        return node
    if isinstance(node, (list, tuple)):
        return type(node)(_stock_types(value, f'{key}.{index}') for index, value in enumerate(node))
    return node


def _is_of_package(kind: Any) -> bool:
    return isinstance(kind, str) and kind.startswith(_PREFIX)
