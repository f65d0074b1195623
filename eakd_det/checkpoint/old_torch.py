"""Safe reading of training checkpoints on torch < 2.6, whose ``weights_only`` cannot allow further types.

MMEngine's checkpoints hold a history of numbers next to the tensors. This replacement for the ``pickle`` module, for
``torch.load(pickle_module=...)``, looks up the few names that such a file needs and rejects all others.
"""

from __future__ import annotations

import importlib
import pickle
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from torch.storage import TypedStorage, UntypedStorage

from eakd_det.mm.checkpoint_types import history_method

_TORCH_UTILS = ('_rebuild_tensor', '_rebuild_tensor_v2', '_rebuild_parameter')
_NUMPY = ('numpy.core.multiarray', 'numpy._core.multiarray')
_ALLOWED = frozenset(
    {
        ('_codecs', 'encode'),  # the bytes of a numpy scalar
        ('collections', 'OrderedDict'),
        ('torch', 'Size'),
        ('torch', 'device'),
        ('numpy', 'dtype'),
        ('numpy', 'ndarray'),
        *(('torch._utils', name) for name in _TORCH_UTILS),
        *((module, name) for module in _NUMPY for name in ('_reconstruct', 'scalar')),
    }
)

# torch.load uses these attributes of a pickle module.
HIGHEST_PROTOCOL = pickle.HIGHEST_PROTOCOL
UnpicklingError = pickle.UnpicklingError


class Unpickler(pickle.Unpickler):
    """Unpickles tensors, numbers and plain containers."""

    def find_class(self, module: str, name: str) -> Any:
        """Return an allowed object; raise ``pickle.UnpicklingError`` for any other."""
        if name == 'getattr' and module in ('builtins', '__builtin__'):  # the latter in pickle's protocol 2
            return history_method
        if (module, name) == (HistoryBuffer.__module__, HistoryBuffer.__name__):
            return HistoryBuffer
        if (module, name) in _ALLOWED:
            return super().find_class(module, name)
        found = getattr(importlib.import_module(module), name, None) if module in ('torch', 'numpy.dtypes') else None
        is_type = isinstance(found, type) and issubclass(found, (TypedStorage, UntypedStorage, np.dtype))
        if is_type or isinstance(found, torch.dtype):
            return found
        raise pickle.UnpicklingError(f'GLOBAL {module}.{name} is not allowed in a checkpoint')


def load(file: Any, **kwargs: Any) -> Any:
    """Load a pickle of allowed objects."""
    return Unpickler(file, **kwargs).load()
