"""Leave out the optimizer steps whose loss is no number, before they reach the weights."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.optim import OptimWrapper
from torch import Tensor


class StepGuard:
    """Stands in for ``OptimWrapper.update_params``: a loss that is not finite has no backward pass and no step.

    Where gradients are accumulated over several iterations, one bad iteration costs the whole step: in a distributed
    run only the last backward pass of an accumulation brings the processes' gradients together, and a step on some
    of them would let the processes drift apart. All processes skip if one of them has to.

    It has to know before the backward pass, so the host waits once an iteration for the forward pass to end, and in a
    distributed run one number is reduced over the processes.

    Args:
        wrapper: The optimizer's wrapper; its ``update_params`` is replaced.

    Attributes:
        skipped: Whether the last iteration was bad.
    """

    def __init__(self, wrapper: OptimWrapper) -> None:
        self.skipped = False
        self._wrapper = wrapper
        self._update = wrapper.update_params
        self._spoilt = False  # the step that is being accumulated
        wrapper.update_params = self

    def __call__(
        self, loss: Tensor, step_kwargs: dict[str, Any] | None = None, zero_kwargs: dict[str, Any] | None = None
    ) -> None:
        """Do what ``update_params`` does, unless the step is spoilt."""
        self.skipped = _is_bad_anywhere(loss)
        self._spoilt |= self.skipped
        if not self._spoilt:
            self._update(loss, step_kwargs, zero_kwargs)
            return
        self._wrapper._inner_count += 1
        if self._wrapper.should_update():
            self._wrapper.zero_grad(**(zero_kwargs or {}))
            self._spoilt = False


def _is_bad_anywhere(loss: Tensor) -> bool:
    bad = (~loss.detach().isfinite().all()).to(torch.float32)
    if get_world_size() > 1:
        all_reduce(bad, op='max')
    return bool(bad)
