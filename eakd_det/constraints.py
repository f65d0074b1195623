"""Types of config values: constraints, checks, and their description in messages."""

from __future__ import annotations

import inspect
import numbers
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple


class Constraint(NamedTuple):
    """A condition on values of an annotated type: ``Annotated[float, Constraint('a number < 1', lambda x: x < 1)]``.

    Attributes:
        words: Description for messages.
        holds: The condition; called with values of the type only.
    """

    words: str
    holds: Callable[[Any], bool]


_LARGEST = 1e12  # its square is a float32
Positive = Annotated[float, Constraint('a finite number > 0', lambda value: 0 < value <= _LARGEST)]
NotNegative = Annotated[float, Constraint('a finite number >= 0', lambda value: 0 <= value <= _LARGEST)]
AtLeastOne = Annotated[float, Constraint('a finite number >= 1', lambda value: 1 <= value <= _LARGEST)]
UnitInterval = Annotated[float, Constraint('a number from 0 to 1', lambda value: 0 <= value <= 1)]
Fraction = Annotated[float, Constraint('a number above 0 and below 1', lambda value: 0 < value < 1)]
Count = Annotated[int, Constraint('an integer > 0', lambda value: value > 0)]
CountOrZero = Annotated[int, Constraint('an integer >= 0', lambda value: value >= 0)]


def fits(value: Any, hint: Any) -> bool:
    """Return whether the type ``hint`` allows ``value``; bool is not a number, str not a sequence; unknown types fit.

    Example:
        >>> fits(3, float), fits(True, float), fits(['a', 1], Sequence[str]), fits('ab', Sequence[str])
        (True, False, False, False)
    """
    origin, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if origin is Annotated:
        conditions = [item for item in inner[1:] if isinstance(item, Constraint)]
        return fits(value, inner[0]) and all(condition.holds(value) for condition in conditions)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, option) for option in inner)
    if hint is None or hint is type(None):
        return value is None
    if origin is typing.Literal:
        return any(value == choice and type(value) is type(choice) for choice in inner)
    if origin is Any or not inspect.isclass(origin) or origin is Callable:
        return True
    if origin in _NUMBERS:
        return isinstance(value, _NUMBERS[origin]) and (origin is bool or not isinstance(value, bool))
    if issubclass(origin, Mapping):
        pairs = value.items() if isinstance(value, Mapping) and inner else ()
        return isinstance(value, Mapping) and all(fits(key, inner[0]) and fits(item, inner[1]) for key, item in pairs)
    if issubclass(origin, Sequence) and origin not in (str, bytes):
        is_sequence = isinstance(value, Sequence) and not isinstance(value, (str, bytes))
        return is_sequence and (not inner or all(fits(item, inner[0]) for item in value))
    return isinstance(value, origin)


def describe(hint: Any) -> str:
    """Describe ``hint`` in words.

    Example:
        >>> describe(int | Sequence[str] | None)
        'an integer, a list of strings or None'
    """
    origin, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if origin is Annotated:
        return next((item.words for item in inner[1:] if isinstance(item, Constraint)), describe(inner[0]))
    if origin in (typing.Union, types.UnionType):
        *rest, last = map(describe, inner)
        return f'{", ".join(rest)} or {last}'
    if origin is typing.Literal:
        return f'one of {", ".join(map(str, inner))}'
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return 'a dict' + (f' of {_plural(inner[1])}' if len(inner) == 2 and inner[1] is not Any else '')
    if inspect.isclass(origin) and issubclass(origin, Sequence) and origin is not str:
        return 'a list' + (f' of {_plural(inner[0])}' if inner and inner[0] is not Any else '')
    return _WORDS.get(origin) or f'a {getattr(origin, "__name__", origin)}'


def _plural(hint: Any) -> str:
    words = describe(hint)
    for one, many in (('a string', 'strings'), ('an integer', 'integers'), ('a dict', 'dicts')):
        words = words.replace(one, many, 1) if words.startswith(one) else words
    return words.replace('a finite number', 'finite numbers', 1).replace('a number', 'numbers', 1)


_NUMBERS: dict[Any, Any] = {bool: bool, int: numbers.Integral, float: numbers.Real}
_WORDS: dict[Any, str] = {
    bool: 'True or False',
    int: 'an integer',
    float: 'a number',
    str: 'a string',
    type(None): 'None',
    None: 'None',
}
