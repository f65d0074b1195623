"""The model dict behind whatever a config may say in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.hub import get_config
from mmengine.utils import get_installed_path

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
