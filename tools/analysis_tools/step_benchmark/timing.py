"""Time arms interleaved, A B C A B C, so that drifts in the machine's speed affect all of them alike."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from eakd_det.distillation import ProposalDistill, ProposalDistiller


@dataclass
class Times:
    """Seconds of one arm in each counted round.

    Attributes:
        forward: Forward pass.
        backward: Backward pass.
        loss: Part of the forward pass in the distiller: divergence, weights and statistics.
    """

    forward: list[float] = field(default_factory=list)
    backward: list[float] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)

    @property
    def step(self) -> list[float]:
        """Forward plus backward pass of each round."""
        return [a + b for a, b in zip(self.forward, self.backward, strict=True)]


class Stopwatch:
    """Sum up the seconds that a :class:`ProposalDistiller` spends on losses and statistics."""

    def __init__(self, distiller: ProposalDistiller) -> None:
        self.seconds = 0.0
        for method in ('compute_distill_losses', 'end_step'):
            setattr(distiller, method, self._timed(getattr(distiller, method)))

    def _timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def timed(*args: Any) -> Any:
            start = time.perf_counter()
            result = function(*args)
            self.seconds += time.perf_counter() - start
            return result

        return timed


def spread(values: list[float]) -> dict[str, float]:
    """Return median, minimum and maximum.

    Example:
        >>> spread([3.0, 1.0, 2.0])
        {'median': 2.0, 'min': 1.0, 'max': 3.0}
    """
    return dict(median=statistics.median(values), min=min(values), max=max(values))


def format_spread(values: dict[str, float], digits: int = 2, factor: float = 1.0) -> str:
    """Return 'median (min to max)', multiplied by ``factor``.

    Example:
        >>> format_spread(spread([3.0, 1.0, 2.0]), digits=1)
        '2.0 (1.0 to 3.0)'
    """
    median, least, most = (f'{factor * values[name]:.{digits}f}' for name in ('median', 'min', 'max'))
    return f'{median} ({least} to {most})'


def run_step(model: Any, data: dict[str, Any], seed: int = 0) -> tuple[float, float]:
    """Run a seeded forward and backward pass and return the seconds of each."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    samples = [sample.clone() for sample in data['data_samples']]
    batch = model.data_preprocessor(dict(inputs=data['inputs'], data_samples=samples), training=True)
    model.zero_grad(set_to_none=True)
    start = time.perf_counter()
    total = sum_losses(model(**batch, mode='loss'))
    middle = time.perf_counter()
    total.backward()
    return middle - start, time.perf_counter() - middle


def sum_losses(losses: dict[str, Any]) -> Tensor:
    """Return the total that MMEngine optimises."""
    values = [value for name, value in losses.items() if 'loss' in name]
    return sum(item.mean() for value in values for item in (value if isinstance(value, list) else [value]))


def interleave(
    arms: dict[str, Any],
    forward_only: dict[str, Callable[[], None]],
    data: dict[str, Any],
    rounds: int,
    warmup: int,
    on_round: Callable[[int], None],
) -> dict[str, Times]:
    """Time all arms in each of ``rounds`` rounds; every other round runs in reverse order.

    Args:
        arms: Models by name.
        forward_only: Functions without backward pass (the teacher alone), by name.
        data: The batch.
        rounds: Number of counted rounds.
        warmup: Number of rounds before them.
        on_round: Called with the index of each round, to report progress.
    """
    times = {name: Times() for name in (*arms, *forward_only)}
    stopwatches = {name: Stopwatch(arm.distiller) for name, arm in arms.items() if isinstance(arm, ProposalDistill)}
    for index in range(-warmup, rounds):
        on_round(index)
        order = list(times) if index % 2 == 0 else list(reversed(times))
        for name in order:
            if name in arms:
                if name in stopwatches:
                    stopwatches[name].seconds = 0.0
                forward, backward = run_step(arms[name], data)
            else:
                start = time.perf_counter()
                forward_only[name]()
                forward, backward = time.perf_counter() - start, 0.0
            if index >= 0:
                times[name].forward.append(forward)
                times[name].backward.append(backward)
                if name in stopwatches:
                    times[name].loss.append(stopwatches[name].seconds)
    return times
