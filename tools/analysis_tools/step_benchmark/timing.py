"""Times arms in turn, A B C A B C, so that a machine whose speed drifts is as unfair to one as to another."""

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
    """Seconds of each counted round of one arm; rounds of different arms with the same index ran side by side.

    Attributes:
        forward: Of the forward pass.
        backward: Of the backward pass.
        loss: Of it in our distiller: divergence, weights and statistics, both networks left out.
    """

    forward: list[float] = field(default_factory=list)
    backward: list[float] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)

    @property
    def step(self) -> list[float]:
        """Forward plus backward, a round each."""
        return [a + b for a, b in zip(self.forward, self.backward, strict=True)]


class Stopwatch:
    """Adds up the seconds that our distiller spends on losses and statistics."""

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
    """Median, minimum and maximum.

    Example:
        >>> spread([3.0, 1.0, 2.0])
        {'median': 2.0, 'min': 1.0, 'max': 3.0}
    """
    return dict(median=statistics.median(values), min=min(values), max=max(values))


def run_step(model: Any, data: dict[str, Any], seed: int = 0) -> tuple[float, float]:
    """One forward and backward pass on the same batch, with samplers seeded; seconds of each."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    batch = model.data_preprocessor(dict(inputs=data['inputs'], data_samples=_fresh(data)), training=True)
    model.zero_grad(set_to_none=True)
    start = time.perf_counter()
    losses = model(**batch, mode='loss')
    total = sum_of_losses(losses)
    middle = time.perf_counter()
    total.backward()
    return middle - start, time.perf_counter() - middle


def _fresh(data: dict[str, Any]) -> list[Any]:
    return [sample.clone() for sample in data['data_samples']]


def sum_of_losses(losses: dict[str, Any]) -> Tensor:
    """What MMEngine would optimise."""
    values = [value for name, value in losses.items() if 'loss' in name]
    return sum(item.mean() for value in values for item in (value if isinstance(value, list) else [value]))


def interleave(
    arms: dict[str, Any],
    extra: dict[str, Callable[[], None]],
    data: dict[str, Any],
    rounds: int,
    warmup: int,
    on_round: Callable[[int], None],
) -> dict[str, Times]:
    """Time every arm ``rounds`` times, round by round; every other round in reverse order.

    Args:
        arms: Models by name.
        extra: Things that are only run forward (the teacher alone), by name.
        data: The batch.
        rounds: Counted rounds.
        warmup: Rounds before them.
        on_round: Called with the round's index, for progress.
    """
    times = {name: Times() for name in (*arms, *extra)}
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
                extra[name]()
                forward, backward = time.perf_counter() - start, 0.0
            if index >= 0:
                times[name].forward.append(forward)
                times[name].backward.append(backward)
                if name in stopwatches:
                    times[name].loss.append(stopwatches[name].seconds)
    return times
