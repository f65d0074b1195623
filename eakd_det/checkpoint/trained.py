"""A detector from its config, with trained weights."""

from __future__ import annotations

import copy
from pathlib import Path

from mmdet.registry import MODELS
from mmdet.utils import register_all_modules
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from eakd_det.checkpoint.loading import checkpoint_classes, load_checkpoint_file, load_detector_weights


def trained_detector(cfg: Config, checkpoint: str | Path) -> tuple[nn.Module, tuple[str, ...] | None]:
    """Return the plain detector of a config with trained weights, in eval mode, and the classes it was trained on.

    Unlike :func:`mmdet.apis.init_detector`, it reads tensors only, also safetensors and ``zoo://NAME``, and every
    weight must match. The classes are those of the checkpoint; None if it names none.

    Raises:
        ConfigError: If the weights cannot be read or do not fit.
    """
    register_all_modules(init_default_scope=False)
    content = load_checkpoint_file(checkpoint)
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmdet'):
        model: nn.Module = MODELS.build(copy.deepcopy(cfg.model))
    load_detector_weights(model, content, source=str(checkpoint))
    return model.eval(), checkpoint_classes(content)
