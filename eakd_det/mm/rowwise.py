"""The value of each row of a batch, for losses that return a reduced value only.

A *row* is one entry of the batch dimension: a site or an image. Its value is the loss of a batch with this row alone; a
loss that is a mean over its batch is the mean of these values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import kl_div
from torch.overrides import TorchFunctionMode

from eakd_det.errors import ConfigError

Arguments = dict[str, Any]
Loss = Callable[..., Tensor]


def tensors(value: Any) -> Iterator[Tensor]:
    """Yield all tensors in ``value``, a tensor or a (nested) tuple or list."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from tensors(item)


def count_rows(arguments: Arguments, name: str) -> int:
    """Return the common number of rows of all tensors in ``arguments``; if there is none, raise ConfigError."""
    rows = {key: {len(tensor) for tensor in tensors(value)} for key, value in arguments.items()}
    counts = set().union(*rows.values())
    if len(counts) != 1:
        found = ', '.join(f'{key} {sorted(values)}' for key, values in rows.items() if values)
        raise ConfigError(
            f'{name}: expected tensors of one batch size in loss_forward_mappings, '
            f'but got {found or "no tensor at all"}'
        )
    return int(counts.pop())


def vectorised(loss: Loss, arguments: Arguments) -> Tensor:
    """Compute the value of each row, ``(n,)``, in one pass over all rows.

    Raises:
        RuntimeError: If ``torch.func.vmap`` cannot batch ``loss``, for example because it selects entries by a mask.
    """
    mapped = {key: value for key, value in arguments.items() if any(True for _ in tensors(value))}
    fixed = {key: value for key, value in arguments.items() if key not in mapped}

    def of_one_row(rows: Arguments) -> Tensor:
        return _scalar(
            loss(**{key: _map_tensors(torch.Tensor.unsqueeze, value, 0) for key, value in rows.items()}, **fixed)
        )

    with _BatchableKLDivergence():
        return torch.func.vmap(of_one_row, randomness='different')(mapped)


def looped(loss: Loss, arguments: Arguments, groups: list[Any]) -> Tensor:
    """Compute the value of each group of rows (a slice or a mask), ``(len(groups),)``, with one call per group."""
    values = [
        _scalar(loss(**{key: _map_tensors(torch.Tensor.__getitem__, value, group) for key, value in arguments.items()}))
        for group in groups
    ]
    return torch.stack(values)


def _map_tensors(function: Callable[[Tensor, Any], Tensor], value: Any, argument: Any) -> Any:
    """Apply ``function`` to every tensor in ``value``."""
    if isinstance(value, Tensor):
        return function(value, argument)
    if isinstance(value, (tuple, list)):
        items = [_map_tensors(function, item, argument) for item in value]
        return items if isinstance(value, list) else tuple(items)
    return value


def _scalar(value: Tensor) -> Tensor:
    """Reduce the value of a loss with reduction 'none' as MMEngine would."""
    return value if value.dim() == 0 else value.mean()


class _BatchableKLDivergence(TorchFunctionMode):
    """Replaces ``kl_div``, which PyTorch cannot batch and would run row by row, with elementary operations."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return (_kl_div if func is kl_div else func)(*args, **(kwargs or {}))


def _kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = 'mean',
    log_target: bool = False,
) -> Tensor:
    """Compute ``torch.nn.functional.kl_div``; as there, the two deprecated arguments override ``reduction``."""
    value = target.exp() * (target - input) if log_target else torch.xlogy(target, target) - target * input
    how = reduction
    if size_average is not None or reduce is not None:
        how = 'none' if reduce is False else 'sum' if size_average is False else 'mean'
    if how == 'mean':
        value = value.mean()
    elif how in ('sum', 'batchmean'):
        value = value.sum()
    return value / len(input) if reduction == 'batchmean' else value
