"""The sum of losses that MMEngine minimises, and a loss of zero that is part of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


def total_loss(losses: Mapping[str, Any]) -> Tensor:
    """Return the sum that MMEngine minimises, a scalar; 0 without losses.

    Example:
        >>> total_loss({'loss_cls': torch.tensor([1.0, 3.0]), 'loss_bbox': [torch.tensor(1.0)], 'acc': torch.ones(1)})
        tensor(3.)
    """
    values = [value for name, value in losses.items() if 'loss' in name]
    flat = [item.mean() for value in values for item in (value if isinstance(value, list) else [value])]
    return torch.stack(flat).sum() if flat else torch.zeros(())


def zero_loss(module: nn.Module) -> dict[str, Tensor]:
    """Return a zero with a gradient for every trainable parameter of ``module``, which DDP waits for.

    Example:
        >>> zero_loss(nn.Linear(2, 1))
        {'loss_zero': tensor(0., grad_fn=<SumBackward0>)}
    """
    zeros = [parameter.flatten()[:0].sum().float() for parameter in module.parameters() if parameter.requires_grad]
    return {'loss_zero': torch.stack(zeros).sum()} if zeros else {}
