"""Compare what a config gives a class with the types that the class's signature states.

What a class checks itself comes first, with words of its own. This is the net below: ``normalize='no'`` would be true,
and ``num_levels='5'`` an error from deep inside.
"""

from __future__ import annotations

import functools
import inspect
import numbers
import reprlib
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eakd_det.errors import ConfigError

_PACKAGE = __name__.partition('.')[0]
_KEYS = {'ProposalDistill': 'model', 'ProposalDistiller': 'model.distiller'}


def check_arguments(cls: Any) -> Any:
    """Return ``cls``, which from now on refuses arguments of another type than its annotations state.

    Only a class whose ``__init__`` belongs to this package is changed.
    """
    init = getattr(cls, '__init__', None)
    is_ours = str(getattr(init, '__module__', '')).partition('.')[0] == _PACKAGE
    if inspect.isclass(cls) and is_ours and getattr(init, 'checked_class', None) is not cls:
        setattr(cls, '__init__', _checked(cls))  # noqa: B010
    return cls


def _checked(cls: type) -> Callable[..., None]:
    init = cls.__init__  # type: ignore[misc]
    signature = inspect.signature(init)

    @functools.wraps(init)
    def checked(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            init(self, *args, **kwargs)
        except ConfigError:
            raise
        except Exception as error:
            _check(cls, signature, (self, *args), kwargs, error)
            raise
        _check(cls, signature, (self, *args), kwargs, None)

    checked.checked_class = cls  # type: ignore[attr-defined]
    return checked


def _check(cls: type, signature: inspect.Signature, args: Any, kwargs: Any, error: Exception | None) -> None:
    try:
        given = signature.bind(*args, **kwargs).arguments
    except TypeError:  # unknown or missing: the call has said so
        return
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            given |= given.pop(parameter.name, {})
    name = type(args[0]).__name__  # of the class that was built, which may be a subclass of ``cls``
    message = wrong_type(given, argument_types(cls), _KEYS.get(name, name))
    if message:
        raise ConfigError(message) from error


def argument_types(cls: type) -> dict[str, Any]:
    """The annotated types of what ``cls`` can be built with, those that ``**kwargs`` hands on to its bases included.

    Example:
        >>> from eakd_det.losses import KDLoss
        >>> sorted(argument_types(KDLoss))
        ['loss_weight', 'reduction', 'standardize', 'tau', 'weighting']
    """
    found: dict[str, Any] = {}
    for base in cls.__mro__:
        init = vars(base).get('__init__')
        if init is None or base.__module__.partition('.')[0] != _PACKAGE:
            continue
        parameters = inspect.signature(init).parameters.values()
        hints = typing.get_type_hints(inspect.unwrap(init))
        named = [parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD]
        found = {**{name: hints[name] for name in named if name in hints}, **found}
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return found


def wrong_type(given: Mapping[str, Any], expected: Mapping[str, Any], key: str) -> str | None:
    """What to say of the first value whose type is not the expected one; None if there is none.

    Example:
        >>> wrong_type({'tau': '3'}, {'tau': float | None}, 'KDLoss')
        "KDLoss.tau: expected a number or None, but got '3'"
    """
    for name, value in given.items():
        if name in expected and not fits(value, expected[name]):
            return f'{key}.{name}: expected {describe(expected[name])}, but got {reprlib.repr(value)}'
    return None


def fits(value: Any, hint: Any) -> bool:
    """Whether ``value`` is what ``hint`` says; a bool is no number, a str no sequence; what is not known here fits.

    Example:
        >>> fits(3, float), fits(True, float), fits(['a', 1], Sequence[str]), fits('ab', Sequence[str])
        (True, False, False, False)
    """
    origin, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, option) for option in inner)
    if hint is None or hint is type(None):
        return value is None
    if origin is typing.Literal:
        return value in inner
    if origin is Any or not inspect.isclass(origin) or origin is Callable:
        return True
    if origin in _NUMBERS:
        return isinstance(value, _NUMBERS[origin]) and (origin is bool or not isinstance(value, bool))
    if issubclass(origin, Mapping):
        pairs = value.items() if isinstance(value, Mapping) and inner else ()
        return isinstance(value, Mapping) and all(fits(key, inner[0]) and fits(item, inner[1]) for key, item in pairs)
    if issubclass(origin, Sequence) and origin not in (str, bytes):
        is_sequence = isinstance(value, Sequence) and not isinstance(value, (str, bytes))
        return is_sequence and (len(inner) != 1 or all(fits(item, inner[0]) for item in value))
    return isinstance(value, origin)


def describe(hint: Any) -> str:
    """``hint`` in words.

    Example:
        >>> describe(int | Sequence[str] | None)
        'an integer or a list of texts or None'
    """
    origin, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return ' or '.join(map(describe, inner))
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return 'a dict' + (f' of {_plural(inner[1])}' if len(inner) == 2 and inner[1] is not Any else '')
    if inspect.isclass(origin) and issubclass(origin, Sequence) and origin is not str:
        return 'a list' + (f' of {_plural(inner[0])}' if len(inner) == 1 and inner[0] is not Any else '')
    return _WORDS.get(origin, getattr(origin, '__name__', str(origin)))


def _plural(hint: Any) -> str:
    words = describe(hint)
    return {'a text': 'texts', 'a number': 'numbers', 'an integer': 'integers'}.get(
        words, words.replace('a dict', 'dicts', 1)
    )


_NUMBERS: dict[Any, Any] = {bool: bool, int: numbers.Integral, float: numbers.Real}
_WORDS: dict[Any, str] = {
    bool: 'True or False',
    int: 'an integer',
    float: 'a number',
    str: 'a text',
    type(None): 'None',
    None: 'None',
}
