"""The model dict behind whatever a config may say in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.hub import get_config

from eakd_det.errors import ConfigError


def read_model_config(detector: Any, key: str) -> ConfigDict:
    """The model dict of a detector that a config names.

    Args:
        detector: A model dict; the path of a config file; the name of one that an installed package brings along
            (``'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'``); or ``dict(cfg_path=...)`` with such a name, as in
            MMRazor's configs.
        key: The config key it came from, for messages.

    Raises:
        ConfigError: If it is none of these.

    Example:
        >>> read_model_config('mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py', 'model.architecture').type
        'FasterRCNN'
    """
    if isinstance(detector, dict) and 'cfg_path' in detector and 'type' not in detector:
        detector = detector['cfg_path']
    if isinstance(detector, (str, Path)):
        return (get_config(str(detector)) if '::' in str(detector) else Config.fromfile(detector)).model
    if isinstance(detector, dict):
        return ConfigDict(detector)
    kind = 'nothing' if detector is None else type(detector).__name__
    raise ConfigError(f'{key}: expected a model dict, a config file or cfg_path, but got {kind}')
