"""Modules from nested configs."""

from __future__ import annotations

import importlib
import reprlib
from typing import Any

from eakd_det.errors import ConfigError
from eakd_det.names import PART_ROOM_OF, SCOPE


def build_model(cfg: Any, scope: str = SCOPE) -> Any:
    """Return the module that ``cfg`` describes, or ``cfg`` itself if it is not a dict.

    Losses, weightings and temperatures of this package need torch alone; MMEngine looks up any other name.

    Args:
        cfg: ``dict(type=..., ...)`` with a class or its name, and its arguments; or a built module.
        scope: The package of a type name without scope, like MMEngine's ``default_scope``. It does not depend on the
            config's, which is usually 'mmdet': ``dict(type='EntropyWeighting')`` works there as well.

    Raises:
        ConfigError: If there is no ``type``, or an argument is invalid.
        KeyError: If MMEngine finds no such name.

    Example:
        >>> build_model(dict(type='UniformWeighting'))
        UniformWeighting()
    """
    if not isinstance(cfg, dict):
        return cfg
    kind = cfg.get('type')
    if not kind or not isinstance(kind, (str, type)):
        raise ConfigError(
            f"expected dict(type='eakd_det...', ...), but got {reprlib.repr(dict(cfg))}, which has no type"
        )
    obj_cls = _part(kind, cfg.get('_scope_', scope))
    if obj_cls is None:
        return _build_by_mmengine(cfg, scope)
    args = cfg.copy()
    args.pop('type')
    args.pop('_scope_', None)
    return obj_cls(**args)


def _part(kind: str | type, scope: str) -> Any:
    """Return the class ``kind`` of this package that needs torch alone, or None."""
    if not isinstance(kind, str):
        return kind
    owner, _, name = kind.rpartition('.')
    if (owner or scope) != SCOPE or name not in PART_ROOM_OF:
        return None
    room = importlib.import_module(f'{SCOPE}.{PART_ROOM_OF[name]}')
    return getattr(room, name)


def _build_by_mmengine(cfg: dict[str, Any], scope: str) -> Any:
    try:
        registry = importlib.import_module(f'{SCOPE}.registry')
    except ImportError as error:
        raise ConfigError(
            f'type: expected one of {", ".join(sorted(PART_ROOM_OF))}, but got {cfg["type"]!r}; for other types {error}'
        ) from error
    return registry.build_in_scope(cfg, scope)
