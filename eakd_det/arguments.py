"""Check what a config gives a class, as the class's signature declares it.

A constraint is part of the annotation (``tau: Positive``, ``reduction: Literal['mean', 'sum']``), and ``@checked``
above ``__init__`` enforces it, once for each object that is built. Standard library only: losses need torch alone.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import numbers
import reprlib
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple, TypeVar

from eakd_det.errors import ConfigError

Options = TypeVar('Options')
Init = TypeVar('Init', bound=Callable[..., None])


class Constraint(NamedTuple):
    """A condition on values of an annotated type: ``Annotated[float, Constraint('a number < 1', lambda x: x < 1)]``.

    Attributes:
        words: What a message says was expected.
        holds: The condition; called only with values of the type.
    """

    words: str
    holds: Callable[[Any], bool]


_LARGEST = 1e12  # far beyond what makes sense, and small enough that its square is a float32
Positive = Annotated[float, Constraint('a finite number > 0', lambda value: 0 < value <= _LARGEST)]
NotNegative = Annotated[float, Constraint('a finite number >= 0', lambda value: 0 <= value <= _LARGEST)]
UnitInterval = Annotated[float, Constraint('a number from 0 to 1', lambda value: 0 <= value <= 1)]
Fraction = Annotated[float, Constraint('a number above 0 and below 1', lambda value: 0 < value < 1)]
Count = Annotated[int, Constraint('an integer > 0', lambda value: value > 0)]
CountOrZero = Annotated[int, Constraint('an integer >= 0', lambda value: value >= 0)]


def checked(init: Init) -> Init:
    """Decorate an ``__init__`` to refuse arguments that its annotations do not allow.

    Arguments in ``**kwargs`` are those of the base class, whose own ``__init__`` checks them. Messages begin with the
    class's ``config_key``, or its name if it has none.

    Raises:
        ArgumentError: When an object is built with an unknown, missing or wrong argument.

    Example:
        >>> class Thing:
        ...     @checked
        ...     def __init__(self, tau: Positive = 1.0) -> None:
        ...         self.tau = tau
        >>> Thing(tau='3')
        Traceback (most recent call last):
        ...
        eakd_det.arguments.ArgumentError: Thing.tau: expected a finite number > 0, but got '3'
        >>> Thing(tao=3)
        Traceback (most recent call last):
        ...
        eakd_det.arguments.ArgumentError: Thing.tao: expected an argument among tau; did you mean 'tau'?
    """

    @functools.wraps(init)
    def checked_init(self: Any, *args: Any, **kwargs: Any) -> None:
        cls = type(self)
        owner = next(base for base in cls.__mro__ if vars(base).get('__init__') is checked_init)
        parameters: dict[str, tuple[Any, bool]] = _parameters(init)
        given = {**dict(zip(parameters, args, strict=False)), **kwargs}
        problem = _problem(given, parameters, argument_names(cls, owner))  # type: ignore[arg-type]
        if problem:
            raise ArgumentError(cls, *problem, given)
        init(self, *args, **kwargs)

    return typing.cast(Init, checked_init)


class ArgumentError(ConfigError):
    """An argument that a class does not take.

    Attributes:
        owner: The class that was to be built.
        argument: The name of the argument.
        given: All that the class was called with, by name.
    """

    def __init__(self, owner: type, argument: str, reason: str, given: Mapping[str, Any]) -> None:
        super().__init__(f'{getattr(owner, "config_key", owner.__name__)}.{argument}: {reason}')
        self.owner = owner
        self.argument = argument
        self.reason = reason
        self.given = given


def _problem(
    given: Mapping[str, Any], parameters: Mapping[str, tuple[Any, bool]], known: Collection[str] | None
) -> tuple[str, str] | None:
    """Return the name of the first wrong argument and what is wrong with it; None if all fit."""
    for name in given:
        if known is not None and name not in known:
            return name, f'expected an argument among {", ".join(known) or "none"}{did_you_mean(name, known)}'
    for name, (hint, is_needed) in parameters.items():
        if name in given and not fits(given[name], hint):
            return name, f'expected {describe(hint)}, but got {reprlib.repr(given[name])}'
        if is_needed and name not in given:
            return name, f'expected {describe(hint)}, but got nothing'
    return None


@functools.cache
def _parameters(init: Callable[..., None]) -> dict[str, tuple[Any, bool]]:
    """Return the type of each argument that ``init`` names, and whether it must be given."""
    hints = typing.get_type_hints(init, include_extras=True)
    return {
        parameter.name: (hints.get(parameter.name, Any), parameter.default is parameter.empty)
        for parameter in _named(init)
    }


@functools.cache
def argument_names(cls: type, owner: type | None = None) -> tuple[str, ...] | None:
    """Return the names of the arguments that ``cls`` is built with, those in ``**kwargs`` included; None for any.

    Args:
        cls: A class.
        owner: The base whose ``__init__`` is meant. Defaults to None, the class itself.

    Example:
        >>> from eakd_det.losses import KDLoss
        >>> argument_names(KDLoss)
        ('tau', 'standardize', 'weighting', 'reduction', 'loss_weight')
    """
    names: list[str] = []
    for base in cls.__mro__[cls.__mro__.index(owner or cls) :]:
        init = vars(base).get('__init__')
        if init is None:
            continue
        names += [parameter.name for parameter in _named(init) if parameter.name not in names]
        kinds = [parameter.kind for parameter in inspect.signature(init).parameters.values()]
        if inspect.Parameter.VAR_KEYWORD not in kinds:
            return tuple(names)
    return None


def _named(init: Callable[..., None]) -> list[inspect.Parameter]:
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [item for item in list(inspect.signature(init).parameters.values())[1:] if item.kind in kinds]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a message, with the name among ``known`` that is nearest to ``name`` if one is near.

    Example:
        >>> did_you_mean('tua', ['tau', 'alpha'])
        "; did you mean 'tau'?"
    """
    near = difflib.get_close_matches(name, known, n=1)
    return f'; did you mean {near[0]!r}?' if near else ''


def require(key: str, value: Any, hint: Any) -> Any:
    """Return ``value`` if the type ``hint`` allows it.

    Raises:
        ConfigError: If it does not.

    Example:
        >>> require('--tau', 3.0, Positive)
        3.0
        >>> require('reduction', 'max', typing.Literal['mean', 'sum'])
        Traceback (most recent call last):
        ...
        eakd_det.errors.ConfigError: reduction: expected one of mean, sum, but got 'max'
    """
    if not fits(value, hint):
        raise ConfigError(f'{key}: expected {describe(hint)}, but got {reprlib.repr(value)}')
    return value


def from_option_dict(kind: type[Options], cfg: Mapping[str, Any] | None, key: str) -> Options:
    """Build the dataclass ``kind`` from the dict under the config key ``key``.

    Raises:
        ConfigError: If ``cfg`` is not a dict, or has an unknown key or a wrong value.
    """
    options: Mapping[str, Any] = require(key, cfg or {}, dict[str, Any])
    hints = typing.get_type_hints(kind, include_extras=True)
    problem = _problem(options, {name: (hint, False) for name, hint in hints.items()}, hints)
    if problem:
        raise ConfigError(f'{key}.{": ".join(problem)}')
    return kind(**options)


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
    """Return ``hint`` in words.

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
