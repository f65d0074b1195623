"""Options of student and teacher, from the dict that a config holds."""

from __future__ import annotations

from typing import Any, TypeVar

from eakd_det.argument_check import argument_types, wrong_type
from eakd_det.errors import ConfigError

Options = TypeVar('Options')


def from_option_dict(kind: type[Options], cfg: dict[str, Any] | None, key: str) -> Options:
    """Build the dataclass ``kind`` from the dict under the config key ``key``.

    Raises:
        ConfigError: If a key is unknown or a value has another type.
    """
    fields = argument_types(kind)
    unknown = sorted(set(cfg or {}) - set(fields))
    if unknown:
        raise ConfigError(f'{key}: expected keys among {", ".join(fields)}, but got {", ".join(unknown)}')
    wrong = wrong_type(cfg or {}, fields, key)
    if wrong:
        raise ConfigError(wrong)
    return kind(**(cfg or {}))
