"""Show MMDetection and MMRazor accepted versions of torch and mmcv while they are imported.

* ``import mmrazor.models`` fails on torch >= 2 because MMRazor's quantization tables use names that torch has removed.
  Distillation needs none of these tables, and MMRazor skips them if torch reads as older than 1.13.
* MMRazor 1.0 rejects mmcv newer than 2.1.0, and MMDetection 3.3 rejects 2.2.0. The ops that they use have not changed.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from typing import Any

from eakd_det.mm.required import MissingPackageError

_MMRAZOR_MODULES = ('mmrazor.models', 'mmrazor.engine')
# Everything that compares torch versions at import must be imported while torch reads as it is.
_IMPORTED_BEFORE = (
    'mmcv.ops',
    'mmdet.datasets',
    'mmdet.engine',
    'mmdet.evaluation',
    'mmdet.models',
    'mmdet.visualization',
)
_LAST_TORCH_WITHOUT_TABLES = '1.12.1'
_FIRST_TORCH_WITHOUT_NAMES = '2.0'
_LAST_ACCEPTED_MMCV = '2.1.0'


@contextlib.contextmanager
def version_reads(module: Any, version: str) -> Iterator[None]:
    """Make ``module.__version__`` read ``version`` inside the context.

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
    """Make mmcv read as 2.1.0 inside the context if it is newer; without mmcv, raise :class:`MissingPackageError`."""
    mmcv = _import('mmcv')
    is_newer = _version(mmcv) > _LAST_ACCEPTED_MMCV
    with version_reads(mmcv, _LAST_ACCEPTED_MMCV) if is_newer else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def mmrazor_on_any_torch() -> Iterator[None]:
    """Import the dependencies of ``mmrazor`` before it, and after it the parts that distillation uses.

    On torch >= 2 MMRazor's quantization tables stay empty, as on torch < 1.13. Its other parts read torch's version
    when they are called and see the actual one. After a failed import, MMRazor's finished modules stay in
    ``sys.modules``, because their classes can be registered only once; a second attempt continues from there.

    Raises:
        MissingPackageError: If a package is not installed or does not import.
    """
    for name in _IMPORTED_BEFORE:
        _import(name)
    torch = importlib.import_module('torch')
    hides_torch = _version(torch) >= _FIRST_TORCH_WITHOUT_NAMES
    with accepted_mmcv():
        yield
        with version_reads(torch, _LAST_TORCH_WITHOUT_TABLES) if hides_torch else contextlib.nullcontext():
            for name in _MMRAZOR_MODULES:
                _import(name)


def _import(name: str) -> Any:
    """Import a module; raise :class:`MissingPackageError` if that fails."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if isinstance(error, MissingPackageError):
            raise
        raise MissingPackageError(name.partition('.')[0], error) from error


def _version(module: Any) -> Any:
    from torch.torch_version import TorchVersion  # torch is imported late

    return TorchVersion(module.__version__)
