"""Build what is nested in a loss or a detector from its config."""

from __future__ import annotations

import importlib
import reprlib
from typing import Any

from eakd_det.errors import ConfigError
from eakd_det.names import PART_ROOM_OF, SCOPE


def build_model(cfg: Any, scope: str = SCOPE) -> Any:
    """Return the module that ``cfg`` describes, or ``cfg`` itself if it is not a dict.

    Losses, weightings and temperatures of this package are built here and need torch alone. Any other name is looked up
    by MMEngine, which only ever finds a class and calls it: what is nested in a loss comes through here either way.

    Args:
        cfg: ``dict(type=..., ...)`` with a class or its name, and its arguments; or what is built already.
        scope: The package that a bare name belongs to, as MMEngine's ``default_scope``. A config's own is usually
            'mmdet', and ``dict(type='EntropyWeighting')`` must work there as well as ``'eakd_det.EntropyWeighting'``.
            Defaults to 'eakd_det'.

    Raises:
        ConfigError: If there is no ``type``, or an argument is not what its class takes.
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
    """Return the class of this package that needs torch alone and is called ``kind``; None if there is none."""
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
