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


def require_positive(name: str, value: Any) -> float:
    """Return ``value`` as a float, or raise :class:`ConfigError` unless it is a finite number above 0.

    Args:
        name: The config key, as the user wrote it.
        value: What the config holds.

    Raises:
        ConfigError: If ``value`` is not a number, is not finite, or is not above 0.

    Example:
        >>> require_positive('tau', 3)
        3.0
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not 0 < value < float('inf'):
        raise ConfigError(f'{name}: expected a finite number > 0, but got {value!r}')
    return float(value)


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
