"""Skip optimizer steps whose loss is not finite."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.optim import OptimWrapper
from torch import Tensor


class StepGuard:
    """Replace ``OptimWrapper.update_params`` and skip backward pass and step of a loss that is not finite.

    With gradient accumulation, one bad iteration discards the whole step: only the last backward pass of an
    accumulation synchronises the processes' gradients, so a partial step would let the processes diverge. If one
    process skips, all do.

    The loss is needed before the backward pass, so the host waits for the forward pass in every iteration, and
    distributed processes reduce one number.

    Args:
        wrapper: The optimizer wrapper; its ``update_params`` is replaced.

    Attributes:
        skipped: Whether the loss of the last iteration was not finite.
    """

    def __init__(self, wrapper: OptimWrapper) -> None:
        self.skipped = False
        self._wrapper = wrapper
        self._update = wrapper.update_params
        self._discard_step = False  # the step that is being accumulated
        wrapper.update_params = self

    def __call__(
        self, loss: Tensor, step_kwargs: dict[str, Any] | None = None, zero_kwargs: dict[str, Any] | None = None
    ) -> None:
        """Call the original ``update_params`` unless the step is to be discarded."""
        self.skipped = _is_non_finite_anywhere(loss)
        self._discard_step |= self.skipped
        if not self._discard_step:
            self._update(loss, step_kwargs, zero_kwargs)
            return
        self._wrapper._inner_count += 1
        if self._wrapper.should_update():
            self._wrapper.zero_grad(**(zero_kwargs or {}))
            self._discard_step = False


def _is_non_finite_anywhere(loss: Tensor) -> bool:
    """Return whether the loss of any process is not finite."""
    bad = (~loss.detach().isfinite().all()).to(torch.float32)
    if get_world_size() > 1:
        all_reduce(bad, op='max')
    return bool(bad)
