"""Signatures of losses: MMRazor checks the keys of ``loss_forward_mappings`` against that of ``forward``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor


def forward_with(signature: inspect.Signature) -> Callable[..., Tensor]:
    """Return the ``forward`` of a loss, the reduction of its terms, with this signature."""

    def forward(self: Any, *args: Any, **kwargs: Any) -> Tensor:
        """Compute the loss."""
        result: Tensor = self.reduce(self.terms(*args, **kwargs))
        return result

    forward.__signature__ = signature  # type: ignore[attr-defined]
    return forward


def signature_of(names: Sequence[str], needed: Sequence[str]) -> inspect.Signature:
    """Return the signature of a ``forward`` with these arguments, of which those not ``needed`` are optional."""
    kind, no_default = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty
    parameters = [inspect.Parameter(name, kind, default=no_default if name in needed else None) for name in names]
    return inspect.Signature([inspect.Parameter('self', kind), *parameters], return_annotation=Tensor)
