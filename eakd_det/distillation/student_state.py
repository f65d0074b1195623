"""Checkpoints of the plain student, with the distiller's state in their metadata.

PyTorch stores a small ``metadata`` dict per module next to the tensors of a state dict. It is saved, loaded and passed
to the module it belongs to, and every other module ignores it. Parameters and buffers of the distiller (connectors,
learned temperatures) are stored there. So stock MMDetection sees exactly the keys of the student, a resume restores
the rest, and no hook has to be configured.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from torch import Tensor, nn

STUDENT = 'architecture.'
METADATA_KEY = 'eakd_det'


def save_as_student(
    module: nn.Module, state: MutableMapping[str, Tensor], prefix: str, metadata: dict[str, Any]
) -> None:
    """Rename ``architecture.x`` to ``x`` and move the rest of ``module`` into ``metadata``; a state-dict hook."""
    rest: dict[str, Tensor] = {}
    for key in [key for key in state if key.startswith(prefix)]:
        value = state.pop(key)
        name = key[len(prefix) :]
        if name.startswith(STUDENT):
            state[prefix + name[len(STUDENT) :]] = value
        else:
            rest[name] = value.detach().cpu()
    if rest:
        metadata[METADATA_KEY] = rest


def load_from_student(state: MutableMapping[str, Tensor], prefix: str, metadata: dict[str, Any], *unused: Any) -> None:
    """Undo :func:`save_as_student`; a load hook. MMRazor's checkpoints load without their teacher."""
    own = [key for key in state if key.startswith(prefix)]
    is_mmrazor = any(key.startswith(prefix + STUDENT) for key in own)
    for key in own:
        name = key[len(prefix) :]
        if is_mmrazor:
            if name.startswith('teacher.'):
                del state[key]
        else:
            state[prefix + STUDENT + name] = state.pop(key)
    for name, value in metadata.get(METADATA_KEY, {}).items():
        state[prefix + name] = value


def install(module: nn.Module) -> None:
    """Register both hooks on ``module``."""
    module._register_state_dict_hook(save_as_student)
    module._register_load_state_dict_pre_hook(load_from_student)
