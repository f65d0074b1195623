"""MMEngine registries of the public names.

MMEngine imports this module for the first type name that starts with ``eakd_det.``, so that configs need no
``custom_imports``.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import TASK_UTILS as MMENGINE_TASK_UTILS
from mmengine.registry import DefaultScope, Registry

from eakd_det import names
from eakd_det.names import SCOPE


class PublicNames(Registry):
    """A registry of the public names of ``rooms``, which are imported when the first name is looked up."""

    def __init__(self, name: str, parent: Registry, rooms: Mapping[str, Sequence[str]]) -> None:
        super().__init__(name, parent=parent, scope=SCOPE, locations=[f'{SCOPE}.{room}' for room in rooms])
        self._rooms = rooms
        self._imported = False

    def import_from_location(self) -> None:
        """Import the rooms and register their public names, once."""
        if self._imported:
            return
        for room, public in self._rooms.items():
            module = importlib.import_module(f'{SCOPE}.{room}')
            for name in public:
                if name not in self._module_dict:  # keeps a class that a user registered
                    self._register_module(module=getattr(module, name))
        self._imported = True


MODELS = PublicNames('model', MMENGINE_MODELS, names.MODELS)
HOOKS = PublicNames('hook', MMENGINE_HOOKS, names.HOOKS)
TASK_UTILS = PublicNames('task util', MMENGINE_TASK_UTILS, names.TASK_UTILS)
DATASETS = PublicNames('dataset', MMENGINE_DATASETS, {})


def build_in_scope(cfg: dict[str, Any], scope: str) -> Any:
    """Build ``cfg`` with MMEngine; a type name without scope belongs to ``scope`` or MMEngine.

    Example:
        >>> build_in_scope(dict(type='ReLU'), 'eakd_det')
        ReLU()
    """
    with DefaultScope.overwrite_default_scope(scope):
        return MMENGINE_MODELS.build(cfg)
