"""Registries of this package: children of MMEngine's, so that ``type='eakd_det.X'`` builds without custom_imports."""

from __future__ import annotations

import reprlib
from typing import Any

from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import TASK_UTILS as MMENGINE_TASK_UTILS
from mmengine.registry import DefaultScope

from eakd_det.argument_check import CheckedRegistry
from eakd_det.errors import ConfigError

SCOPE = 'eakd_det'

MODELS = CheckedRegistry(
    'model',
    parent=MMENGINE_MODELS,
    scope=SCOPE,
    locations=['eakd_det.weighting', 'eakd_det.losses', 'eakd_det.distillation', 'eakd_det.models'],
)
HOOKS = CheckedRegistry(
    'hook',
    parent=MMENGINE_HOOKS,
    scope=SCOPE,
    locations=[
        'eakd_det.evaluation',
        'eakd_det.distillation',
        'eakd_det.hooks',
        'eakd_det.analysis',
        'eakd_det.experiment',
        'eakd_det.resume',
    ],
)
TASK_UTILS = CheckedRegistry('task util', parent=MMENGINE_TASK_UTILS, scope=SCOPE, locations=['eakd_det.distillation'])
DATASETS = CheckedRegistry('dataset', parent=MMENGINE_DATASETS, scope=SCOPE, locations=['eakd_det.datasets'])


def build_model(cfg: Any) -> Any:
    """Build ``cfg`` from :data:`MODELS`, where a bare type name means one of this package.

    A config's ``default_scope`` is usually 'mmdet', and then a nested ``dict(type='EntropyWeighting')`` would be
    looked up there; here both that and ``'eakd_det.EntropyWeighting'`` work. What is already built is returned.

    Example:
        >>> build_model(dict(type='UniformWeighting'))
        UniformWeighting()
    """
    if not isinstance(cfg, dict):
        return cfg
    if not cfg.get('type') or not isinstance(cfg['type'], (str, type)):
        raise ConfigError(
            f"expected dict(type='eakd_det...', ...), but got {reprlib.repr(dict(cfg))}, which has no type"
        )
    with DefaultScope.overwrite_default_scope(SCOPE):
        return MODELS.build(cfg)
