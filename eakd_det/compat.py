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
from collections.abc import Iterator

import torch

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

    Raises:
        ImportError: If MMRazor, or something it needs, is not installed; the message says what to install.
    """
    for module in _IMPORTED_BEFORE:
        importlib.import_module(module)
    try:
        with torch_version_reads(_LAST_TORCH_WITHOUT_TABLES):
            for module in _MMRAZOR_MODULES:
                importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f'eakd_det needs MMRazor, which could not be imported ({error}). '
            "Install it with: pip install 'mmrazor==1.0.0' joblib scikit-learn"
        ) from error


def allow_mmengine_checkpoints() -> None:
    """Tell ``torch.load(weights_only=True)`` which types MMEngine's own checkpoints hold besides tensors.

    The history of logged scalars is a ``HistoryBuffer`` of numpy arrays. None of these types runs code when it is
    loaded. Calling this twice does no harm; torch without an allow-list (< 2.4) is left alone.
    """
    add_safe_globals = getattr(torch.serialization, 'add_safe_globals', None)
    if add_safe_globals is None:
        return
    import numpy as np
    from mmengine.logging.history_buffer import HistoryBuffer

    multiarray = importlib.import_module('numpy._core.multiarray' if np.lib.NumpyVersion(np.__version__) >= '2.0.0'
                                         else 'numpy.core.multiarray')
    dtypes = {type(np.dtype(kind)) for kind in ('f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', '?')}
    add_safe_globals([HistoryBuffer, np.ndarray, np.dtype, multiarray._reconstruct, multiarray.scalar, *dtypes])
