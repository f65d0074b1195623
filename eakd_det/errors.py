"""What a user did that cannot work, told apart from a bug of ours.

The command line tools catch :class:`ConfigError`, print its one line and exit with status 1; anything else keeps its
traceback.
"""

from __future__ import annotations

from typing import Any


class ConfigError(ValueError):
    """A setting, a file or a combination of both that cannot work.

    The message is one line: what was expected, what came, and the config key (or file) to change.

    Example:
        >>> from eakd_det.errors import ConfigError
        >>> raise ConfigError('distill_losses.loss_kd.tau: expected a number > 0, but got 0')
        Traceback (most recent call last):
        ...
        eakd_det.errors.ConfigError: distill_losses.loss_kd.tau: expected a number > 0, but got 0
    """


_LARGEST = 1e12  # far beyond what makes sense, and small enough that its square is a float32


def require_positive(name: str, value: Any) -> float:
    """Return ``value`` as a float, or raise :class:`ConfigError` unless it is a number above 0 and at most 1e12.

    Args:
        name: The config key, as the user wrote it.
        value: What the config holds.

    Raises:
        ConfigError: If ``value`` is not a number, is not above 0, or is above 1e12.

    Example:
        >>> require_positive('tau', 3)
        3.0
    """
    if not _is_number(value) or not 0 < value <= _LARGEST:
        raise ConfigError(f'{name}: expected a finite number > 0, but got {value!r}')
    return float(value)


def require_not_negative(name: str, value: Any) -> float:
    """Return ``value`` as a float, or raise :class:`ConfigError` unless it is a number from 0 to 1e12.

    Example:
        >>> require_not_negative('KDLoss.loss_weight', 0)
        0.0
    """
    if not _is_number(value) or not 0 <= value <= _LARGEST:
        raise ConfigError(f'{name}: expected a finite number >= 0, but got {value!r}')
    return float(value)


def require_count(name: str, value: Any, least: int = 1) -> int:
    """Return ``value``, or raise :class:`ConfigError` unless it is an integer of at least ``least``.

    Example:
        >>> require_count('num_levels', 5)
        5
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(f'{name}: expected an integer {"> 0" if least == 1 else f">= {least}"}, but got {value!r}')
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def require_choice(name: str, value: Any, choices: tuple[str, ...]) -> str:
    """Return ``value``, or raise :class:`ConfigError` unless it is one of ``choices``.

    Args:
        name: The config key, as the user wrote it.
        value: What the config holds.
        choices: What is allowed.

    Raises:
        ConfigError: If ``value`` is not among ``choices``.

    Example:
        >>> require_choice('mode', 'ea', ('ea', 'base'))
        'ea'
    """
    if value not in choices:
        raise ConfigError(f'{name}: expected one of {", ".join(choices)}, but got {value!r}')
    return str(value)
