"""Detectors with their trained weights."""

from __future__ import annotations

from typing import Any

from mmdet.utils import register_all_modules
from mmengine.config import Config
from torch import nn

from eakd_det.checkpoint.trained import trained_detector
from eakd_det.checkpoint.zoo_index import SCHEME, zoo_entry
from eakd_det.models.stock import stock_student_config


def load_detector(name: str, device: str = 'cpu') -> nn.Module:
    """Return a trained detector of the zoo, ready for :func:`mmdet.apis.inference_detector`.

    Args:
        name: Its name.
        device: Device.

    Raises:
        ConfigError: If there is no such model, or its weights are missing or damaged.

    Example:
        >>> detector = load_detector('demo-teacher')
        >>> len(detector.dataset_meta['classes'])
        10
    """
    register_all_modules(init_default_scope=True)
    cfg = stock_student_config(Config.fromfile(str(zoo_entry(name).config)))
    detector, classes = trained_detector(cfg, f'{SCHEME}://{name}')
    model: Any = detector  # what inference_detector reads are attributes that no module declares
    model.cfg, model.dataset_meta = cfg, {'classes': classes, 'palette': 'random'}
    return detector.to(device)
