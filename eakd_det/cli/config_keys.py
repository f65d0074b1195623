"""Find out which key of a config something came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def walk(node: Any, key: str = '') -> Iterator[tuple[str, Any]]:
    """Every node of a config with its dotted key, as ``--cfg-options`` would write it.

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
    """The dotted key of the first node that ``matches``; None if there is none.

    Example:
        >>> find_key(dict(model=dict(backbone=dict(type='ResNt'))), lambda node: node == 'ResNt')
        'model.backbone.type'
    """
    return next((key for key, node in walk(cfg) if key and matches(node)), None)
