"""Let ``torch.load`` read MMEngine's checkpoints with its safety on.

``torch.load`` reads tensors only since torch 2.6, and MMEngine's checkpoints also hold the history of the logged
scalars.
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

_FIRST_TORCH_THAT_LOADS_TENSORS_ONLY = '2.6.0'
_STATISTICS_METHODS = {name: getattr(HistoryBuffer, name) for name in ('current', 'max', 'mean', 'min')}


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


def load_tensors_only() -> None:
    """Take out of OneDL's MMEngine that it unpickles a checkpoint after all if ``weights_only=True`` refuses it.

    MMEngine itself has no such function and leaves the choice to ``torch.load``, which is safe since torch 2.6.
    """
    module: Any = sys.modules['mmengine.runner.checkpoint']
    if hasattr(module, '_safe_torch_load'):
        module._safe_torch_load = functools.partial(torch.load, weights_only=True)


def history_method(owner: Any, name: str) -> Callable[..., Any]:
    """Stand in for ``getattr`` while a checkpoint is loaded: give out the statistics methods of a history alone."""
    if owner is not HistoryBuffer or name not in _STATISTICS_METHODS:
        raise pickle.UnpicklingError(f'the checkpoint asks for attribute {name!r} of {owner!r}, which is not allowed')
    return _STATISTICS_METHODS[name]
