"""Errors for packages of OpenMMLab that are not installed."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any

from eakd_det.errors import ConfigError

_HOW_TO_INSTALL = {
    'mmcv': "pip install 'eakd-det[lite]' (or a compiled mmcv 2.1.0)",
    'mmengine': "pip install 'eakd-det[mm]'",
    'mmdet': "pip install 'eakd-det[mm]'",
    'mmrazor': "pip install 'eakd-det[mm]'",
}


class MissingPackageError(ImportError):
    """A package that is not installed or does not import; the message is one line with the command that installs it."""

    def __init__(self, package: str, reason: ImportError | None = None) -> None:
        broken = '' if reason is None else f', which could not be imported ({" ".join(str(reason).split())})'
        super().__init__(f'eakd_det needs {package}{broken}: {_HOW_TO_INSTALL[package]}', name=package)


def require_openmmlab() -> None:
    """Raise :class:`MissingPackageError` for the first package of OpenMMLab that is not installed; import none."""
    for package in _HOW_TO_INSTALL:
        if package not in sys.modules and importlib.util.find_spec(package) is None:
            raise MissingPackageError(package)


def run_main(module: str, *args: Any) -> int:
    """Call ``main(*args)`` of ``module`` and return its status; if it does not import, print one line and return 1."""
    try:
        main = importlib.import_module(module).main
    except (ConfigError, MissingPackageError) as error:
        print(f'Error: {error}', file=sys.stderr)
        return 1
    return int(main(*args))
