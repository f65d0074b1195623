"""Detectors from the values that a config may have for them, and their number of classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmdet.registry import MODELS as MMDET_MODELS
from mmengine.config import Config, ConfigDict
from mmengine.hub import get_config, get_model
from mmengine.registry import DefaultScope
from mmengine.utils import get_installed_path
from torch import nn

from eakd_det.errors import ConfigError

_BOX_HEADS = ('bbox_head', 'mask_head')


def read_model_config(detector: Any, key: str) -> ConfigDict:
    """Return the model dict of a detector.

    Args:
        detector: A model dict; the path of a config file; the name of one in an installed package
            (``'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'``); or ``dict(cfg_path=...)`` with such a name, as in
            MMRazor's configs.
        key: The config key, for messages.

    Raises:
        ConfigError: If it is none of these, or the file cannot be read.

    Example:
        >>> read_model_config('mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py', 'model.architecture').type
        'FasterRCNN'
    """
    if isinstance(detector, dict) and 'cfg_path' in detector and 'type' not in detector:
        detector = detector['cfg_path']
    if isinstance(detector, (str, Path)):
        return _of_file(str(detector), key)
    if isinstance(detector, dict):
        if not detector.get('type') or not isinstance(detector['type'], (str, type)):
            raise ConfigError(f'{key}.type: expected the name of a detector, but got {detector.get("type")!r}')
        return ConfigDict(detector)
    kind = 'nothing' if detector is None else type(detector).__name__
    raise ConfigError(f'{key}: expected a model dict, a config file or cfg_path, but got {kind}')


def current_name(name: str) -> str:
    """Return the name that a package's config has today, if ``name`` is the one it had in MMDetection 2.

    MMRazor 1.0 ships recipes with such names, which its own tools cannot find any more.

    Example:
        >>> current_name('mmdet::faster_rcnn/faster_rcnn_r50_fpn_1x_coco.py')
        'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'
    """
    package, _, path = name.partition('::')
    try:
        folder = (Path(get_installed_path(package)) / '.mim/configs' / path).parent
    except Exception:  # no such package, which its reader explains
        return name
    wanted = Path(path).name
    same = [file.name for file in folder.glob('*.py') if _compact(file.name) == _compact(wanted)]
    if wanted in same or len(same) != 1:
        return name
    return f'{package}::{Path(path).with_name(same[0])}'


def _compact(name: str) -> str:
    return name.replace('-', '_').replace('mstrain', 'ms')


def build_detector(cfg: Any, key: str) -> nn.Module:
    """Build a detector from ``cfg``: a detector, which is returned, or any value of :func:`read_model_config`.

    With ``dict(cfg_path=..., pretrained=True)`` the model's public checkpoint is loaded, as in MMRazor.
    """
    if isinstance(cfg, nn.Module):
        return cfg
    if isinstance(cfg, dict) and 'cfg_path' in cfg and 'type' not in cfg:
        read_model_config(cfg, key)  # its error for a wrong name is one line
        return get_model(**{**cfg, 'cfg_path': current_name(cfg['cfg_path'])})
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MMDET_MODELS.build(read_model_config(cfg, key))


def set_num_classes(model: Any, count: int) -> None:
    """Set ``num_classes`` of every box and mask head inside a model config, in every stage of a cascade.

    Args:
        model: A model config, changed in place. Covers student and teacher, unless the teacher has a ``class_map``.
        count: Number of classes without background.

    Example:
        >>> model = dict(roi_head=dict(bbox_head=[dict(num_classes=80), dict()]), rpn_head=dict(num_classes=1))
        >>> set_num_classes(model, 3)
        >>> model
        {'roi_head': {'bbox_head': [{'num_classes': 3}, {'num_classes': 3}]}, 'rpn_head': {'num_classes': 1}}
    """
    if isinstance(model, (list, tuple)):
        for item in model:
            set_num_classes(item, count)
    if not isinstance(model, dict):
        return
    for name, value in model.items():
        if name == 'teacher' and model.get('class_map') is not None:
            continue  # the map translates its classes
        if name in _BOX_HEADS:
            for head in value if isinstance(value, (list, tuple)) else [value]:
                if isinstance(head, dict):
                    head['num_classes'] = count
        set_num_classes(value, count)


def _of_file(name: str, key: str) -> ConfigDict:
    if '::' not in name and not Path(name).is_file():
        raise ConfigError(
            f'{key}: expected a model dict, a config file or package::config, but there is no file {name!r}'
        )
    try:
        model = (get_config(current_name(name)) if '::' in name else Config.fromfile(name)).get('model')
    except Exception as error:  # a config is a program: whatever it raises is about the config
        raise ConfigError(
            f'{key}: {name} cannot be read ({type(error).__name__}: {" ".join(str(error).split())})'
        ) from error
    if not isinstance(model, dict):
        raise ConfigError(f'{key}: expected {name} to define a model dict, but got {model!r}')
    return model
