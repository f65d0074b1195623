"""Data options at the top of a config that are misspelt or of another type: nothing would read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eakd_det.errors import ConfigError


def check_option_names(cfg: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Raise :class:`ConfigError` if a key looks like a slip of a data option, or a path is none.

    The top of a config may hold any variable, so an unknown key as such is no fault.

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
        near = [key for key in known if name not in known and differ_by_a_slip(str(name), key)]
        if near:
            raise ConfigError(f'{name}: expected one of the data options {", ".join(known)}; did you mean {near[0]!r}?')


def differ_by_a_slip(name: str, key: str) -> bool:
    """Whether one letter more, less or other, or two swapped, make one of the other.

    Example:
        >>> differ_by_a_slip('clases', 'classes'), differ_by_a_slip('calsses', 'classes'), differ_by_a_slip('a', 'abc')
        (True, True, False)
    """
    if abs(len(name) - len(key)) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(name, key, strict=False)) if a != b), min(len(name), len(key)))
    rest, other = name[at:], key[at:]
    swapped = rest[1::-1] + rest[2:] == other and len(rest) > 1
    return swapped or rest[1:] in (other, other[1:]) or rest == other[1:]
