"""Detectors with their trained weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmdet.registry import MODELS
from mmdet.utils import register_all_modules
from mmengine.config import Config
from torch import nn

from eakd_det.checkpoint import checkpoint_classes, load_checkpoint_file, load_detector_weights
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
    entry = zoo_entry(name)
    return build_detector(Config.fromfile(str(entry.config)), f'{SCHEME}://{name}', device)


def build_detector(cfg: Config, checkpoint: str | Path, device: str = 'cpu') -> nn.Module:
    """Return the plain detector of a config with the weights of any checkpoint, in eval mode.

    Unlike :func:`mmdet.apis.init_detector`, it reads tensors only, also safetensors and ``zoo://NAME``, and every
    weight must match.

    Args:
        cfg: A config of a detector, or of a distillation, whose student is built.
        checkpoint: Its weights.
        device: Device.

    Raises:
        ConfigError: If the weights cannot be read or do not fit.
    """
    register_all_modules(init_default_scope=True)
    cfg = stock_student_config(cfg)
    content = load_checkpoint_file(checkpoint)
    model: Any = MODELS.build({**cfg.model, 'init_cfg': None})
    load_detector_weights(model, content, source=str(checkpoint))
    model.cfg = cfg
    model.dataset_meta = {'classes': checkpoint_classes(content), 'palette': 'random'}
    return model.to(device).eval()
