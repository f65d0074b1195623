"""Check lists of records from a JSON file.

Error messages name the first faulty record and their number. They are verb phrases, such as "has no images"; the caller
prepends the file.
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
    """Raise :class:`ConfigError` unless every record of the list ``name`` has every field."""
    for field in fields:
        lacking = [(index, record) for index, record in enumerate(records) if field not in record]
        if lacking:
            index, record = lacking[0]
            which = f'id {record["id"]!r}' if 'id' in record else f'number {index}'
            raise ConfigError(f'has no {field!r} in the entry with {which} of its {name}{count_suffix(lacking)}')


def require_unique(values: Iterable[Any], name: str) -> None:
    """Raise :class:`ConfigError` if a value occurs twice."""
    try:
        repeated = [value for value, count in Counter(values).items() if count > 1]
    except TypeError:
        raise ConfigError(f'has {name} that are neither numbers nor names') from None
    if repeated:
        raise ConfigError(
            f'has {name} that are not unique: {repeated[0]!r} occurs more than once{count_suffix(repeated)}'
        )


def is_in(value: Any, known: set[Hashable]) -> bool:
    """Return whether ``value`` is among ``known``; False for unhashable values."""
    return isinstance(value, Hashable) and value in known


def is_finite(value: Any) -> bool:
    """Return whether ``value`` is a number that a float can represent, neither NaN nor infinite."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def require_ids(values: Iterable[Any], name: str) -> None:
    """Raise :class:`ConfigError` unless all are integers or all strings: pycocotools sorts and compares them."""
    values = list(values)
    wrong = [value for value in values if isinstance(value, bool) or not isinstance(value, (int, str))]
    wrong += [value for value in values if isinstance(value, int) and abs(value) > _LARGEST_ID]
    if wrong:
        raise ConfigError(
            f'has {name} that are neither integers nor strings: {reprlib.repr(wrong[0])}{count_suffix(wrong)}'
        )
    if len({isinstance(value, str) for value in values}) > 1:
        raise ConfigError(f'has {name} of which some are integers and some strings')


def is_size(value: Any) -> bool:
    """Return whether ``value`` is a valid image width or height in pixels."""
    return is_finite(value) and 0 < value <= _LARGEST_PIXEL


def has_extent_in(box: Sequence[float], width: float, height: float) -> bool:
    """Return whether MMDetection trains on a ``box`` [x, y, w, h] in an image of this size or drops it."""
    left, top, wide, high = box
    across = min(left + wide, width) - max(left, 0)
    down = min(top + high, height) - max(top, 0)
    return across > 0 and down > 0 and wide >= 1 and high >= 1


def is_box(box: Any) -> bool:
    """Return whether ``box`` is [x, y, width, height] with pixels that float32 resolves and sides >= 0."""
    is_numbers = isinstance(box, list) and len(box) == 4 and all(map(is_finite, box))
    return is_numbers and max(map(abs, box)) <= _LARGEST_PIXEL and box[2] >= 0 and box[3] >= 0


def type_name(value: Any) -> str:
    """Return the type of ``value`` with its article, for messages."""
    name = type(value).__name__
    return 'nothing' if value is None else f'{"an" if name[0] in "aeiou" else "a"} {name}'


def count_suffix(faulty: Sequence[Any]) -> str:
    """Return the number of faulty records in parentheses, or nothing for one."""
    return '' if len(faulty) == 1 else f' ({len(faulty)} in total)'


def quote_names(names: Sequence[str]) -> str:
    """Return the first few names, quoted, and the total number if there are more."""
    more = f', ... ({len(names)} in total)' if len(names) > _SHOWN else ''
    return f'{", ".join(repr(name) for name in names[:_SHOWN])}{more}'
