"""How a dense head runs: in the form that its loss reads, and with one of its methods watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn


@contextmanager
def training_form(head: nn.Module) -> Iterator[None]:
    """Let the head, but none of its layers, return what its loss reads: some decode boxes in eval mode."""
    was_training, head.training = head.training, True
    try:
        yield
    finally:
        head.training = was_training


@contextmanager
def results_of(head: Any, method: str | None) -> Iterator[list[Any]]:
    """Collect what ``method`` of this one head returns while the block runs."""
    results: list[Any] = []
    if method is None:
        yield results
        return
    original: Callable[..., Any] = getattr(head, method)

    def call(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        results.append(result)
        return result

    setattr(head, method, call)
    try:
        yield results
    finally:
        delattr(head, method)
