"""Detectors from whatever a user may write in a config."""

from __future__ import annotations

from typing import Any

from mmdet.registry import MODELS as MMDET_MODELS
from mmengine.hub import get_model
from mmengine.registry import DefaultScope
from torch import nn

from eakd_det.models.model_config import current_name, read_model_config


def build_detector(cfg: Any, key: str) -> nn.Module:
    """Build a detector from the value of ``architecture`` or ``teacher``.

    Args:
        cfg: A built detector, a model dict, the path of a config file or its name in a package
            (``'mmdet::faster_rcnn/...'``), or ``dict(cfg_path='mmdet::...')`` as in MMRazor's configs (there
            ``pretrained=True`` also loads that model's public checkpoint).
        key: The config key it came from, for messages.

    Raises:
        ConfigError: If ``cfg`` is none of these.
    """
    if isinstance(cfg, nn.Module):
        return cfg
    if isinstance(cfg, dict) and 'cfg_path' in cfg and 'type' not in cfg:
        read_model_config(cfg, key)  # whose error for a wrong name is one line
        return get_model(**{**cfg, 'cfg_path': current_name(cfg['cfg_path'])})
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MMDET_MODELS.build(read_model_config(cfg, key))
