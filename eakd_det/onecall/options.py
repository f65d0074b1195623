"""The ``options`` of :func:`eakd_det.distill`: its own, and those of configs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eakd_det.errors import ConfigError

_OWN = {'method': str, 'plain': bool}


def split_options(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the options of the call itself, and those of configs as ``--cfg-options`` takes them.

    Raises:
        ConfigError: If an option of the call has a value of another type.

    Example:
        >>> split_options({'plain': False, 'classes': ('cat', 'dog'), 'train_cfg': {'max_iters': 3}})
        ({'plain': False}, {'classes': '[cat,dog]', 'train_cfg.max_iters': '3'})
    """
    own = {key: value for key, value in options.items() if key in _OWN}
    for key, value in own.items():
        if not isinstance(value, _OWN[key]):
            raise ConfigError(f'options.{key}: expected a {_OWN[key].__name__}, but got {value!r}')
    shared = {key: value for key, value in options.items() if key not in own}
    return own, {key: _as_text(value) for key, value in _flat(shared)}


def _flat(options: Mapping[str, Any], prefix: str = '') -> Iterator[tuple[str, Any]]:
    for key, value in options.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f'{prefix}{key}.')
        else:
            yield f'{prefix}{key}', value


def _as_text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f'[{",".join(_as_text(item) for item in value)}]'
    return str(value)
