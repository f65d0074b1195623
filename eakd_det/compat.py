"""The one place that knows about old or broken versions of other packages.

Two things stand between MMRazor 1.0, MMEngine 0.10 and today's PyTorch:

* ``import mmrazor.models`` fails on torch >= 2, because MMRazor's quantization tables name functions that torch has
  renamed since. Distillation needs none of these tables, and MMRazor skips them all when torch reads as older
  than 1.13. :func:`import_mmrazor` shows it such a version for the time of the import.
* ``torch.load`` reads tensors only since torch 2.6, and MMEngine's checkpoints also hold the history of the logged
  scalars. :func:`allow_mmengine_checkpoints` names the harmless types these files hold; the safety stays on.
"""

from __future__ import annotations

import contextlib
import importlib
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.utils import digit_version

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
_FIRST_MAJOR_WITHOUT_NAMES = 2
_FIRST_TORCH_THAT_LOADS_TENSORS_ONLY = '2.6.0'
_STATISTICS_METHODS = {name: getattr(HistoryBuffer, name) for name in ('current', 'max', 'mean', 'min')}
_HOW = {
    'mmcv': 'It must be built with its ops for the installed torch, see docs/install.md',
    'mmdet': "Install it with: pip install 'mmdet==3.3.0'",
    'mmrazor': "Install it with: pip install 'mmrazor==1.0.0' joblib scikit-learn",
}


@contextlib.contextmanager
def torch_version_reads(version: str) -> Iterator[None]:
    """Make ``torch.__version__`` read ``version`` inside the block, and restore it whatever happens there.

    Example:
        >>> import torch
        >>> before = torch.__version__
        >>> with torch_version_reads('1.12.1'):
        ...     print(torch.__version__)
        1.12.1
        >>> torch.__version__ == before
        True
    """
    actual = torch.__version__
    torch.__version__ = version  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.__version__ = actual


def import_mmrazor() -> None:
    """Import the parts of MMRazor that distillation uses, on any torch version.

    What was imported already, on a torch that needs no help, stays as it is. On torch >= 2 MMRazor's quantization
    tables stay empty, as they do on torch < 1.13; its other parts look at torch's version when they are called, and
    see the true one. A failed import leaves MMRazor's finished modules in ``sys.modules``: their classes are
    registered once and for all, and a second attempt goes on from there.

    Raises:
        ImportError: If a package that this one needs is not installed or does not import; the message names it.
    """
    for module in _IMPORTED_BEFORE:
        _import(module)
    needs_help = digit_version(torch.__version__)[0] >= _FIRST_MAJOR_WITHOUT_NAMES
    with torch_version_reads(_LAST_TORCH_WITHOUT_TABLES) if needs_help else contextlib.nullcontext():
        for module in _MMRAZOR_MODULES:
            _import(module)


def _import(module: str) -> None:
    """Import ``module``, or say which package to mend."""
    try:
        importlib.import_module(module)
    except ImportError as error:
        package = module.split('.')[0]
        raise ImportError(f'eakd_det needs {package}, which could not be imported: {error}. {_HOW[package]}') from error


def allow_mmengine_checkpoints() -> None:
    """Tell ``torch.load(weights_only=True)`` which types MMEngine's own checkpoints hold besides tensors.

    The history of logged scalars is a ``HistoryBuffer`` of numpy arrays, pickled with its four statistics methods,
    which pickle writes as ``getattr(HistoryBuffer, 'mean')``. None of the types runs code when it is loaded, and for
    ``getattr`` stands a function that knows these four and nothing else. Calling this twice does no harm; torch < 2.6,
    which loads everything by default, is left alone.
    """
    if digit_version(torch.__version__) < digit_version(_FIRST_TORCH_THAT_LOADS_TENSORS_ONLY):
        return
    multiarray = importlib.import_module(
        'numpy._core.multiarray' if np.lib.NumpyVersion(np.__version__) >= '2.0.0' else 'numpy.core.multiarray'
    )
    dtypes = {type(np.dtype(kind)) for kind in ('f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', '?')}
    torch.serialization.add_safe_globals(
        [
            HistoryBuffer,
            np.ndarray,
            np.dtype,
            multiarray._reconstruct,
            multiarray.scalar,
            *dtypes,
            (history_method, 'builtins.getattr'),
        ]
    )


def history_method(owner: Any, name: str) -> Callable[..., Any]:
    """Stand in for ``getattr`` while a checkpoint is loaded: give out the statistics methods of a history alone."""
    if owner is not HistoryBuffer or name not in _STATISTICS_METHODS:
        raise pickle.UnpicklingError(f'the checkpoint asks for attribute {name!r} of {owner!r}, which is not allowed')
    return _STATISTICS_METHODS[name]
