"""Find the key of a value in a config."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def walk(node: Any, key: str = '') -> Iterator[tuple[str, Any]]:
    """Yield every node of a config with its dotted key, as ``--cfg-options`` would write it.

    Example:
        >>> dict(walk(dict(hooks=[dict(type='A')])))
        {'': {'hooks': [{'type': 'A'}]}, 'hooks': [{'type': 'A'}], 'hooks.0': {'type': 'A'}, 'hooks.0.type': 'A'}
    """
    yield key, node
    items: list[tuple[Any, Any]] = []
    if isinstance(node, dict):
        items = list(node.items())
    elif isinstance(node, (list, tuple)):
        items = list(enumerate(node))
    for name, value in items:
        yield from walk(value, f'{key}.{name}' if key else str(name))


def find_key(cfg: Any, matches: Callable[[Any], bool]) -> str | None:
    """Return the dotted key of the first node that ``matches``, or None.

    Example:
        >>> find_key(dict(model=dict(backbone=dict(type='ResNt'))), lambda node: node == 'ResNt')
        'model.backbone.type'
    """
    return next((key for key, node in walk(cfg) if key and matches(node)), None)
