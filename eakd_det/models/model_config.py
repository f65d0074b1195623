"""Detectors from the values that a config may have for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmdet.registry import MODELS as MMDET_MODELS
from mmengine.config import Config, ConfigDict
from mmengine.hub import get_config, get_model
from mmengine.registry import DefaultScope
from torch import nn

from eakd_det.errors import ConfigError


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


def build_detector(cfg: Any, key: str) -> nn.Module:
    """Build a detector from ``cfg``: a detector, which is returned, or any value of :func:`read_model_config`.

    With ``dict(cfg_path=..., pretrained=True)`` the model's public checkpoint is loaded, as in MMRazor.
    """
    if isinstance(cfg, nn.Module):
        return cfg
    if isinstance(cfg, dict) and 'cfg_path' in cfg and 'type' not in cfg:
        read_model_config(cfg, key)  # its error for a wrong name is one line
        return get_model(**cfg)
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MMDET_MODELS.build(read_model_config(cfg, key))


def _of_file(name: str, key: str) -> ConfigDict:
    if '::' not in name and not Path(name).is_file():
        raise ConfigError(
            f'{key}: expected a model dict, a config file or package::config, but there is no file {name!r}'
        )
    try:
        model = (get_config(name) if '::' in name else Config.fromfile(name)).get('model')
    except Exception as error:  # a config is a program: whatever it raises is about the config
        raise ConfigError(
            f'{key}: {name} cannot be read ({type(error).__name__}: {" ".join(str(error).split())})'
        ) from error
    if not isinstance(model, dict):
        raise ConfigError(f'{key}: expected {name} to define a model dict, but got {model!r}')
    return model
