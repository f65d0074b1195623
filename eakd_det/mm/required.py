"""What to type when a package of OpenMMLab is not installed."""

from __future__ import annotations

import importlib
import importlib.util
import sys

_HOW = {
    'mmcv': "pip install 'eakd-det[lite]' (or a compiled mmcv 2.1.0)",
    'mmengine': "pip install 'eakd-det[mm]'",
    'mmdet': "pip install 'eakd-det[mm]'",
    'mmrazor': "pip install 'eakd-det[mm]'",
}


class MissingPackageError(ImportError):
    """A package that is not installed, or does not import; the message is one line that says what to type."""

    def __init__(self, package: str, reason: ImportError | None = None) -> None:
        broken = '' if reason is None else f', which could not be imported ({" ".join(str(reason).split())})'
        super().__init__(f'eakd_det needs {package}{broken}: {_HOW[package]}', name=package)


def require_openmmlab() -> None:
    """Raise :class:`MissingPackageError` for the first package of OpenMMLab that is not there; none is imported."""
    for package in _HOW:
        if package not in sys.modules and importlib.util.find_spec(package) is None:
            raise MissingPackageError(package)


def run_main(module: str) -> int:
    """Return ``main()`` of ``module``, a tool's exit status; 1 after one line on stderr if OpenMMLab is missing."""
    try:
        main = importlib.import_module(module).main
    except MissingPackageError as error:
        print(f'Error: {error}', file=sys.stderr)
        return 1
    return int(main())
