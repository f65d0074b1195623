"""The error that a user can mend, as opposed to a bug in the package.

The command line tools catch :class:`ConfigError`, print its one line and exit with status 1; anything else keeps its
traceback.
"""

from __future__ import annotations


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
