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
from eakd_det.models.model_config import set_num_classes


def trained_detector(cfg: Config, checkpoint: str | Path) -> tuple[nn.Module, tuple[str, ...] | None]:
    """Return the plain detector of a config with trained weights, in eval mode, and the classes it was trained on.

    Unlike :func:`mmdet.apis.init_detector`, it reads tensors only, also safetensors and ``zoo://NAME``, and every
    weight must match. The classes are those of the checkpoint; None if it names none. If it does and the config has no
    ``classes``, as one for anyone's data has not, the heads are built with their number.

    Raises:
        ConfigError: If the weights cannot be read or do not fit.
    """
    register_all_modules(init_default_scope=False)
    content = load_checkpoint_file(checkpoint)
    classes, model_cfg = checkpoint_classes(content), copy.deepcopy(cfg.model)
    if classes is not None and not cfg.get('classes'):
        set_num_classes(model_cfg, len(classes))
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmdet'):
        model: nn.Module = MODELS.build(model_cfg)
    load_detector_weights(model, content, source=str(checkpoint))
    return model.eval(), classes
