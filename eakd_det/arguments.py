"""Check a config's arguments against the signature of the class that it builds.

A constraint is part of the annotation (``tau: Positive``, ``reduction: Literal['mean', 'sum']``), and ``@checked`` on
``__init__`` enforces it, once per object. Standard library only, because losses need torch alone.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import reprlib
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

from eakd_det.constraints import (
    AtLeastOne,
    Constraint,
    Count,
    CountOrZero,
    Fraction,
    NotNegative,
    Positive,
    UnitInterval,
    describe,
    fits,
)
from eakd_det.errors import ConfigError

__all__ = [
    'ArgumentError',
    'AtLeastOne',
    'Constraint',
    'Count',
    'CountOrZero',
    'Fraction',
    'NotNegative',
    'Positive',
    'UnitInterval',
    'argument_names',
    'checked',
    'did_you_mean',
    'from_option_dict',
    'require',
    'shown_arguments',
]

Options = TypeVar('Options')
Init = TypeVar('Init', bound=Callable[..., None])
_PLAIN = (bool, int, float, str, list, tuple)


def checked(init: Init) -> Init:
    """Decorate an ``__init__`` to refuse arguments that its annotations do not allow.

    Arguments in ``**kwargs`` are checked by the ``__init__`` of the base class. Messages begin with the class's
    ``config_key``, or its name if it has none.

    Raises:
        ArgumentError: When an object is built with an unknown, missing or invalid argument.

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
    """An unknown, missing or invalid argument of a class.

    Attributes:
        owner: The class.
        argument: The name of the argument.
        reason: The message without the key.
        given: All arguments of the call, by name.
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
    """Return the name of the first invalid argument and the reason; None if all are valid."""
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
    """Return the type of each named argument of ``init``, and whether it is required."""
    hints = typing.get_type_hints(init, include_extras=True)
    return {
        parameter.name: (hints.get(parameter.name, Any), parameter.default is parameter.empty)
        for parameter in _named(init)
    }


@functools.cache
def argument_names(cls: type, owner: type | None = None) -> tuple[str, ...] | None:
    """Return the names of the arguments of ``cls``, including those in ``**kwargs``; None if it accepts any.

    Args:
        cls: A class.
        owner: Start at the ``__init__`` of this base; None is the class itself.

    Example:
        >>> from eakd_det.losses import KDLoss
        >>> argument_names(KDLoss)
        ('tau', 'standardize', 'focal_beta', 'sites', 'weighting', 'reduction', 'loss_weight')
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


def shown_arguments(module: Any) -> str:
    """Return the arguments of a built ``module`` that are plain values, for its ``extra_repr``.

    Example:
        >>> from eakd_det.losses import JSDLoss
        >>> shown_arguments(JSDLoss(loss_weight=2.0))
        "tau=1.0, teacher_share=0.5, standardize=False, sites='all', reduction='mean', loss_weight=2.0"
    """
    cls: Any = type(module)
    values = {name: getattr(module, name, None) for name in argument_names(cls) or ()}
    return ', '.join(f'{name}={value!r}' for name, value in values.items() if isinstance(value, _PLAIN))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a message that suggests the name in ``known`` most similar to ``name``, if any is similar.

    Example:
        >>> did_you_mean('tua', ['tau', 'alpha'])
        "; did you mean 'tau'?"
    """
    near = difflib.get_close_matches(name, known, n=1)
    return f'; did you mean {near[0]!r}?' if near else ''


def require(key: str, value: Any, hint: Any) -> Any:
    """Return ``value``, or raise :class:`ConfigError` if the type ``hint`` does not allow it.

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
        ConfigError: If ``cfg`` is not a dict, or has an unknown key or an invalid value.
    """
    options: Mapping[str, Any] = require(key, cfg or {}, dict[str, Any])
    hints = typing.get_type_hints(kind, include_extras=True)
    problem = _problem(options, {name: (hint, False) for name, hint in hints.items()}, hints)
    if problem:
        raise ConfigError(f'{key}.{": ".join(problem)}')
    return kind(**options)
