"""Checkpoints as safetensors: tensors and text, and nothing that could run."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from eakd_det.errors import ConfigError

SUFFIX = '.safetensors'
Precision = Literal['float32', 'float16', 'int8']
_SCALE = ':scale'
_META = 'eakd_det'


def write_safetensors(
    path: Path, state: Mapping[str, Tensor], meta: Mapping[str, Any], precision: Precision = 'float32'
) -> None:
    """Write a detector's weights.

    Only matrices and kernels, of two dimensions and more, get the lower precision; norms and biases stay in float32. An
    int8 tensor W is stored as ``round(W / s)`` with one float32 scale ``s = max |W| / 127`` for each output channel, so
    that its error is at most ``s / 2``.

    Args:
        path: The file.
        state: The tensors by name.
        meta: Values for JSON, such as ``dataset_meta``.
        precision: 'float32', 'float16' or 'int8'.
    """
    tensors: dict[str, Tensor] = {}
    for name, tensor in state.items():
        tensor = tensor.detach().cpu().contiguous()
        if not tensor.is_floating_point() or tensor.ndim < 2 or precision == 'float32':
            tensors[name] = tensor
        elif precision == 'float16':
            tensors[name] = tensor.half()
        else:
            scale = tensor.float().flatten(1).abs().amax(dim=1).clamp(min=torch.finfo(torch.float32).tiny) / 127
            tensors[name] = (tensor / _along_rows(scale, tensor)).round().to(torch.int8)
            tensors[name + _SCALE] = scale
    _library().save_file(tensors, str(path), metadata={_META: json.dumps(meta)})


def read_safetensors(path: Path) -> dict[str, Any]:
    """Read a checkpoint with all weights in float32: ``state_dict`` and ``meta``.

    Files of others are read as well: metadata that this package did not write is left out.
    """
    with _library().safe_open(str(path), framework='pt') as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        text = (file.metadata() or {}).get(_META, '{}')
    state = {}
    for name, tensor in tensors.items():
        if name.endswith(_SCALE):
            continue
        scale = tensors.get(name + _SCALE)
        if scale is not None:
            tensor = tensor.float() * _along_rows(scale, tensor)
        state[name] = tensor.float() if tensor.is_floating_point() else tensor
    meta = json.loads(text)
    return {'state_dict': state, 'meta': meta if isinstance(meta, dict) else {}}


def _along_rows(scale: Tensor, tensor: Tensor) -> Tensor:
    return scale.reshape(-1, *[1] * (tensor.ndim - 1))


def _library() -> Any:
    try:
        return importlib.import_module('safetensors.torch')
    except ModuleNotFoundError as error:
        raise ConfigError(f'{SUFFIX} files need the package safetensors: pip install safetensors') from error
