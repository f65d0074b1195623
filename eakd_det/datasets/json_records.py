"""Small checks on lists of records that were read from a JSON file; messages name the first offender and the count.

The messages are verb phrases, for the caller to put the file in front: "has no images".
"""

from __future__ import annotations

import reprlib
import sys
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from eakd_det.errors import ConfigError

_SHOWN = 8
_LARGEST_PIXEL = 1e7
_LARGEST_ID = 2**53  # pycocotools keeps ids as floats


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
    """Whether ``value`` is a number that fits a float, neither NaN nor infinite."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def require_ids(values: Iterable[Any], what: str) -> None:
    """Raise :class:`ConfigError` unless all are integers, or all are texts: pycocotools sorts and compares them."""
    values = list(values)
    wrong = [value for value in values if isinstance(value, bool) or not isinstance(value, (int, str))]
    wrong += [value for value in values if isinstance(value, int) and abs(value) > _LARGEST_ID]
    if wrong:
        raise ConfigError(f'has {what} that are neither integers nor texts: {reprlib.repr(wrong[0])}{count_of(wrong)}')
    if len({isinstance(value, str) for value in values}) > 1:
        raise ConfigError(f'has {what} of which some are integers and some texts')


def is_size(value: Any) -> bool:
    """Whether ``value`` is a number of pixels above 0."""
    return is_finite(value) and 0 < value <= _LARGEST_PIXEL


def has_extent_in(box: Sequence[float], width: float, height: float) -> bool:
    """Whether MMDetection trains on a ``box`` [x, y, w, h] in an image of this size: it leaves out the others."""
    left, top, wide, high = box
    across = min(left + wide, width) - max(left, 0)
    down = min(top + high, height) - max(top, 0)
    return across > 0 and down > 0 and wide >= 1 and high >= 1


def is_box(box: Any) -> bool:
    """Whether ``box`` is [x, y, width, height] in pixels that a float32 can tell apart, with no negative extent."""
    is_numbers = isinstance(box, list) and len(box) == 4 and all(map(is_finite, box))
    return is_numbers and max(map(abs, box)) <= _LARGEST_PIXEL and box[2] >= 0 and box[3] >= 0


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
