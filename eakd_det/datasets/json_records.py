"""Small checks on lists of records that were read from a JSON file; messages name the first offender and the count.

The messages are verb phrases, for the caller to put the file in front: "has no images".
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from eakd_det.errors import ConfigError

_SHOWN = 8


def require_fields(records: list[dict[str, Any]], fields: tuple[str, ...], name: str) -> None:
    """Raise :class:`ConfigError` unless every record has every field; says which record of ``name`` lacks which."""
    for field in fields:
        lacking = [(index, record) for index, record in enumerate(records) if field not in record]
        if lacking:
            index, record = lacking[0]
            which = f'id {record["id"]!r}' if 'id' in record else f'number {index}'
            raise ConfigError(f'has no {field!r} in the entry with {which} of its {name}{count_of(lacking)}')


def require_unique(values: Iterable[Any], what: str) -> None:
    """Raise :class:`ConfigError` if a value occurs twice."""
    try:
        repeated = [value for value, count in Counter(values).items() if count > 1]
    except TypeError:
        raise ConfigError(f'has {what} that are neither numbers nor names') from None
    if repeated:
        raise ConfigError(f'has {what} that are not unique: {repeated[0]!r} occurs more than once{count_of(repeated)}')


def is_in(value: Any, known: set[Hashable]) -> bool:
    """Whether ``value`` is among ``known``; a list or a dict never is."""
    return isinstance(value, Hashable) and value in known


def is_finite(value: Any) -> bool:
    """Whether ``value`` is a number, and neither NaN nor infinite."""
    return isinstance(value, (int, float)) and math.isfinite(value)


def is_size(value: Any) -> bool:
    """Whether ``value`` is a number above 0."""
    return is_finite(value) and value > 0


def is_box(box: Any) -> bool:
    """Whether ``box`` is [x, y, width, height], finite, with no negative extent."""
    return isinstance(box, list) and len(box) == 4 and all(map(is_finite, box)) and box[2] >= 0 and box[3] >= 0


def kind_of(value: Any) -> str:
    """The type of ``value`` as a message says it."""
    name = type(value).__name__
    return 'nothing' if value is None else f'{"an" if name[0] in "aeiou" else "a"} {name}'


def count_of(offenders: Sequence[Any]) -> str:
    """How many offenders there are, unless there is one."""
    return '' if len(offenders) == 1 else f' ({len(offenders)} such in all)'


def shown(names: Sequence[str]) -> str:
    """The first few names, quoted, and how many there are if not all are shown."""
    more = f', ... ({len(names)} in all)' if len(names) > _SHOWN else ''
    return f'{", ".join(repr(name) for name in names[:_SHOWN])}{more}'
