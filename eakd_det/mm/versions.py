"""Show MMDetection and MMRazor the versions of torch and mmcv that they accept, while they are imported.

* ``import mmrazor.models`` fails on torch >= 2, because MMRazor's quantization tables name functions that torch has
  renamed since. Distillation needs none of these tables, and MMRazor skips them all when torch reads as older than
  1.13.
* MMRazor 1.0 refuses mmcv newer than 2.1.0, and MMDetection 3.3 refuses 2.2.0. The ops that they use have not changed.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from typing import Any

from eakd_det.mm.required import MissingPackageError

_MMRAZOR_MODULES = ('mmrazor.models', 'mmrazor.engine')
# All that compares torch versions at import must be imported before the version is hidden from MMRazor.
_IMPORTED_BEFORE = (
    'mmcv.ops',
    'mmdet.datasets',
    'mmdet.engine',
    'mmdet.evaluation',
    'mmdet.models',
    'mmdet.visualization',
)
_LAST_TORCH_WITHOUT_TABLES = '1.12.1'
_FIRST_TORCH_WITHOUT_NAMES = (2,)
_LAST_ACCEPTED_MMCV = '2.1.0'


@contextlib.contextmanager
def version_reads(module: Any, version: str) -> Iterator[None]:
    """Make ``module.__version__`` read ``version`` inside the block, and restore it whatever happens there.

    Example:
        >>> import torch
        >>> before = torch.__version__
        >>> with version_reads(torch, '1.12.1'):
        ...     print(torch.__version__)
        1.12.1
        >>> torch.__version__ == before
        True
    """
    actual = module.__version__
    module.__version__ = version
    try:
        yield
    finally:
        module.__version__ = actual


@contextlib.contextmanager
def accepted_mmcv() -> Iterator[None]:
    """Make mmcv read as 2.1.0 inside the block, if it is newer.

    Raises:
        MissingPackageError: If mmcv does not import.
    """
    mmcv = _import('mmcv')
    if _release(mmcv.__version__) <= _release(_LAST_ACCEPTED_MMCV):
        yield
        return
    with version_reads(mmcv, _LAST_ACCEPTED_MMCV):
        yield


@contextlib.contextmanager
def mmrazor_on_any_torch() -> Iterator[None]:
    """Import around ``mmrazor`` what it needs and the parts of it that distillation uses.

    On torch >= 2 MMRazor's quantization tables stay empty, as they do on torch < 1.13; its other parts look at torch's
    version when they are called, and see the true one. A failed import leaves MMRazor's finished modules in
    ``sys.modules``: their classes are registered once and for all, and a second attempt continues from there.

    Raises:
        MissingPackageError: If a package is not installed or does not import; the message names it.
    """
    for name in _IMPORTED_BEFORE:
        _import(name)
    torch = importlib.import_module('torch')
    needs_help = _release(torch.__version__) >= _FIRST_TORCH_WITHOUT_NAMES
    with accepted_mmcv():
        yield
        with version_reads(torch, _LAST_TORCH_WITHOUT_TABLES) if needs_help else contextlib.nullcontext():
            for name in _MMRAZOR_MODULES:
                _import(name)


def _import(name: str) -> Any:
    """Import a module, or say which package to mend."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if isinstance(error, MissingPackageError):
            raise
        raise MissingPackageError(name.partition('.')[0], error) from error


def _release(version: str) -> tuple[int, ...]:
    """Return the numbers of ``version``, without what follows them.

    Example:
        >>> _release('2.13.0+cpu'), _release('2.0.0rc4')
        ((2, 13, 0), (2, 0, 0))
    """
    numbers = []
    for part in version.partition('+')[0].split('.'):
        digits = part[: len(part) - len(part.lstrip('0123456789'))]
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    return tuple(numbers)
