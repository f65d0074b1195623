"""Time of a detector on this machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch


def median_seconds(call: Callable[[], object], number: int = 20, warm_up: int = 2) -> float:
    """Return the median duration of ``call`` in seconds.

    Args:
        call: What to time.
        number: Number of timed calls.
        warm_up: Number of calls before.
    """
    durations = []
    for index in range(warm_up + number):
        start = time.perf_counter()
        call()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        if index >= warm_up:
            durations.append(time.perf_counter() - start)
    return statistics.median(durations)
