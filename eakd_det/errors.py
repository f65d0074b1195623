"""The error for invalid settings and files.

The command line tools print a :class:`ConfigError` as one line and exit with status 1; others keep their traceback.
"""

from __future__ import annotations


class ConfigError(ValueError):
    """An invalid setting or file; the message is one line with the expected and the actual value and the config key.

    Example:
        >>> from eakd_det.errors import ConfigError
        >>> raise ConfigError('distill_losses.loss_kd.tau: expected a number > 0, but got 0')
        Traceback (most recent call last):
        ...
        eakd_det.errors.ConfigError: distill_losses.loss_kd.tau: expected a number > 0, but got 0
    """
