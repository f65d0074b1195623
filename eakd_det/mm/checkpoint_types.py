"""Let ``torch.load`` read MMEngine's checkpoints in its safe mode.

Since torch 2.6 ``torch.load`` reads tensors only, but MMEngine's checkpoints also hold the history of logged scalars.
"""

from __future__ import annotations

import functools
import importlib
import pickle
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.utils import digit_version

_STATISTICS_METHODS = {name: getattr(HistoryBuffer, name) for name in ('current', 'max', 'mean', 'min')}


def allow_mmengine_checkpoints() -> None:
    """Allow ``torch.load(weights_only=True)`` to load the types in MMEngine's checkpoints.

    The history is a ``HistoryBuffer`` of numpy arrays, pickled with its four statistics methods as
    ``getattr(HistoryBuffer, 'mean')``. None of the types runs code when it is loaded, and ``getattr`` is replaced with
    a function that returns these four methods only. torch < 2.6, which has no such list, is left unchanged.
    """
    if digit_version(torch.__version__) < digit_version('2.6.0'):
        return
    multiarray = importlib.import_module(
        'numpy._core.multiarray' if np.lib.NumpyVersion(np.__version__) >= '2.0.0' else 'numpy.core.multiarray'
    )
    dtypes = {type(np.dtype(kind)) for kind in ('f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', '?')}
    arrays = [np.ndarray, np.dtype, multiarray._reconstruct, multiarray.scalar, *dtypes]
    torch.serialization.add_safe_globals([HistoryBuffer, *arrays, (history_method, 'builtins.getattr')])


def load_tensors_only() -> None:
    """Keep OneDL's MMEngine from unpickling a checkpoint that ``weights_only=True`` rejects.

    MMEngine itself leaves the choice to ``torch.load``, which is safe since torch 2.6.
    """
    module: Any = sys.modules['mmengine.runner.checkpoint']
    if hasattr(module, '_safe_torch_load'):
        module._safe_torch_load = functools.partial(torch.load, weights_only=True)


def history_method(owner: Any, name: str) -> Callable[..., Any]:
    """Replace ``getattr`` while a checkpoint is loaded: return a history's statistics methods and nothing else."""
    if owner is not HistoryBuffer or name not in _STATISTICS_METHODS:
        raise pickle.UnpicklingError(f'the checkpoint uses attribute {name!r} of {owner!r}, which is not allowed')
    return _STATISTICS_METHODS[name]
