"""Detect data options that are misspelt or of the wrong type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eakd_det.errors import ConfigError


def check_option_names(cfg: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Raise :class:`ConfigError` if a key looks like a misspelt data option, or a path is not a string.

    A config may define any variable, so other unknown keys are accepted.

    Args:
        cfg: A config that uses data options.
        known: Names of the data options.

    Example:
        >>> check_option_names({'clases': ('cat',)}, ('classes',))
        Traceback (most recent call last):
        ...
        eakd_det.errors.ConfigError: clases: expected one of the data options classes; did you mean 'classes'?
    """
    for key in ('train_ann', 'val_ann', 'train_images', 'val_images'):
        value = cfg.get(key)
        if value is not None and (not isinstance(value, str) or (not value and key.endswith('_ann'))):
            raise ConfigError(f'{key}: expected the path of a file or folder below data_root, but got {value!r}')
    for name in cfg:
        near = [key for key in known if name not in known and is_misspelling(str(name), key)]
        if near:
            raise ConfigError(f'{name}: expected one of the data options {", ".join(known)}; did you mean {near[0]!r}?')


def is_misspelling(name: str, key: str) -> bool:
    """Return whether the names differ by one inserted, deleted or replaced letter, or by two swapped ones.

    Example:
        >>> is_misspelling('clases', 'classes'), is_misspelling('calsses', 'classes'), is_misspelling('a', 'abc')
        (True, True, False)
    """
    if abs(len(name) - len(key)) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(name, key, strict=False)) if a != b), min(len(name), len(key)))
    rest, other = name[at:], key[at:]
    swapped = rest[1::-1] + rest[2:] == other and len(rest) > 1
    return swapped or rest[1:] in (other, other[1:]) or rest == other[1:]
