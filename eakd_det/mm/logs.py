"""Forward this package's log messages to MMEngine's logger of the run."""

from __future__ import annotations

import logging

from mmengine.logging import print_log

from eakd_det.names import SCOPE


class _ToCurrentLogger(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        print_log(record.getMessage(), logger='current', level=record.levelno)


def log_by_mmengine() -> None:
    """Make the logger ``eakd_det`` write to the log of the current run, from level INFO."""
    logger = logging.getLogger(SCOPE)
    if not any(isinstance(handler, _ToCurrentLogger) for handler in logger.handlers):
        logger.addHandler(_ToCurrentLogger())
        logger.setLevel(logging.INFO)
