"""All that MMEngine has to be told of this package: registries, children of its own.

MMEngine imports this module when it meets a type name that begins with ``eakd_det.``, and the rooms when it looks the
first such name up. So the names build from any config, without ``custom_imports``.
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
    """A registry of the public names of some rooms, which are imported when the first name is looked up.

    Args:
        name: As in MMEngine.
        parent: MMEngine's registry of the same kind.
        rooms: The public names by room.
    """

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
                if name not in self._module_dict:  # a class that a user registered under the same name stays
                    self._register_module(module=getattr(module, name))
        self._imported = True


MODELS = PublicNames('model', MMENGINE_MODELS, names.MODELS)
HOOKS = PublicNames('hook', MMENGINE_HOOKS, names.HOOKS)
TASK_UTILS = PublicNames('task util', MMENGINE_TASK_UTILS, names.TASK_UTILS)
DATASETS = PublicNames('dataset', MMENGINE_DATASETS, {})


def build_in_scope(cfg: dict[str, Any], scope: str) -> Any:
    """Build ``cfg`` by MMEngine, where a bare type name means one of ``scope`` or MMEngine.

    Example:
        >>> build_in_scope(dict(type='ReLU'), 'eakd_det')
        ReLU()
    """
    with DefaultScope.overwrite_default_scope(scope):
        return MMENGINE_MODELS.build(cfg)
