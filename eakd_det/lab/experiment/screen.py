"""One live line about the runs of an experiment: titles, progress, AP so far, time left."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any, Protocol, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from eakd_det.lab.experiment.records import RunRecord
from eakd_det.lab.experiment.runs import Run, read_json
from eakd_det.lab.experiment.watch_hook import PROGRESS_NAME


class _Running(Protocol):
    run: Run
    started: float


class Screen:
    """Writes events as permanent lines, and below them one line that is updated on a terminal.

    Otherwise (a pipe, a file) the line is repeated every ``every_seconds``.

    Args:
        stream: Output stream. Defaults to None, standard output.
        every_seconds: Time between two lines without a terminal.
    """

    def __init__(self, stream: TextIO | None = None, every_seconds: float = 30.0) -> None:
        plain: dict[str, Any] = dict(markup=False, highlight=False, emoji=False, force_jupyter=False)
        self._console = Console(file=stream or sys.stdout, soft_wrap=True, **plain)
        self._live = Live(console=self._console, transient=True, auto_refresh=False)
        self._every = every_seconds
        self._last = 0.0

    def say(self, text: str) -> None:
        """Write a permanent line."""
        self._console.print(text)

    def show(self, text: str) -> None:
        """Show the state until the next call."""
        if self._console.is_terminal:
            self._live.start()
            self._live.update(Text(text, no_wrap=True, overflow='ellipsis'), refresh=True)
        elif time.monotonic() - self._last >= self._every:
            self._last = time.monotonic()
            self.say(text)

    def close(self) -> None:
        """Remove the live line."""
        self._live.stop()


class Clock:
    """Estimates the time left from finished and current runs.

    Args:
        jobs: Number of parallel runs.

    Example:
        >>> clock = Clock(jobs=2)
        >>> clock.ended(60.0)
        >>> clock.left([], waiting=4)
        120.0
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._durations: list[float] = []

    def ended(self, seconds: float) -> None:
        """Record the duration of a run."""
        self._durations.append(seconds)

    def left(self, running: Sequence[tuple[float, float]], waiting: int) -> float | None:
        """Return the seconds left; None without any information.

        Args:
            running: Seconds since its start and finished share of each current run.
            waiting: Number of runs that have not started.
        """
        expected = [seconds / share for seconds, share in running if share > 0.01]
        known = self._durations or expected
        if not known:
            return None
        typical = sum(known) / len(known)
        remaining = [max((seconds / share if share > 0.01 else typical) - seconds, 0.0) for seconds, share in running]
        return max(sum(remaining, waiting * typical) / self._jobs, max(remaining, default=0.0))


def live_line(jobs: Sequence[_Running], done: int, total: int, waiting: int, clock: Clock) -> str:
    """Return the state of all runs in one line."""
    now = time.monotonic()
    parts, running = [], []
    for job in jobs:
        progress = read_json(job.run.folder / PROGRESS_NAME)
        iteration, end = progress.get('iteration', 0), progress.get('max_iters') or job.run.max_iters
        measured = f' AP {100 * progress["AP"]:.1f}' if progress.get('AP') is not None else ''
        where = f'{iteration}/{end} it' if end else 'evaluating'
        parts.append(f'{job.run.title}: {where}{measured}')
        running.append((now - job.started, iteration / end if end else 0.0))
    left = clock.left(running, waiting)
    estimate = '' if left is None else f'  {span(left)} left'
    return f'[{done}/{total} runs]{estimate}  {" | ".join(parts) or "waiting for runs of another process"}'


def outcome(run: Run, record: RunRecord) -> str:
    """Return the outcome of a run in one line."""
    if record.status != 'finished':
        return f'{run.title}: {record.status}{f", {record.error}" if record.error else ""}'
    seconds = '' if record.seconds is None else f'  trained in {span(record.seconds)}'
    return f'{run.title}: AP {100 * (record.metrics["AP"] or 0):.1f}{seconds}'


def span(seconds: float) -> str:
    """Format a time.

    Example:
        >>> span(75), span(7260), span(200000)
        ('1:15', '2:01 h', '2.3 d')
    """
    if seconds >= 86400:
        return f'{seconds / 86400:.1f} d'
    minutes, rest = divmod(round(seconds), 60)
    return f'{minutes // 60}:{minutes % 60:02d} h' if minutes >= 60 else f'{minutes}:{rest:02d}'
