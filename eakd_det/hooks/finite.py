"""Find NaN and infinity in losses, weights and optimizer states with one synchronisation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn


def non_finite(tensors: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Return the names of the tensors that hold NaN or infinity, with one synchronisation for all of them.

    Example:
        >>> non_finite({'a': torch.ones(2), 'b': torch.tensor([1.0, float('nan')]), 'c': torch.tensor(3)})
        ('b',)
    """
    floating = {name: tensor.detach() for name, tensor in tensors.items() if tensor.is_floating_point()}
    if not floating:
        return ()
    device = next(iter(floating.values())).device
    # A finite sum implies finite addends, and is faster than a mask. A sum may overflow, so suspects are checked again.
    sums = torch.stack([tensor.float().sum().to(device) for tensor in floating.values()])
    suspects = [name for name, finite in zip(floating, sums.isfinite().tolist(), strict=True) if not finite]
    return tuple(name for name in suspects if not bool(floating[name].isfinite().all()))


def training_state(model: nn.Module, optimizer: torch.optim.Optimizer | None) -> dict[str, Tensor]:
    """Return parameters, running statistics and optimizer state by name."""
    state: dict[str, Tensor] = dict(model.named_parameters())
    state |= {name: buffer for name, buffer in model.named_buffers() if 'running_' in name.rsplit('.', 1)[-1]}
    if optimizer is not None:
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        for parameter, values in optimizer.state.items():
            owner = names.get(id(parameter), 'a parameter')
            tensors = {key: value for key, value in values.items() if isinstance(value, Tensor)}
            state |= {f'{key} of {owner}': value for key, value in tensors.items()}
    return state


def checkpoint_tensors(checkpoint: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return weights and optimizer state of a checkpoint by name."""
    found: dict[str, Tensor] = {}
    for part in ('state_dict', 'ema_state_dict', 'optimizer'):
        found |= {f'{part}{name}': tensor for name, tensor in _tensors(checkpoint.get(part), '')}
    return found


def _tensors(node: Any, name: str) -> Iterator[tuple[str, Tensor]]:
    if isinstance(node, Tensor):
        yield name, node
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from _tensors(value, f'{name}.{key}')
