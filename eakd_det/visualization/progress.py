"""The progress of one training run, readable on a terminal and in a log file."""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Mapping
from typing import Any, TextIO

from mmengine.hooks import Hook
from mmengine.runner import Runner
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

_SMOOTHING = 0.95  # of the losses: one batch of 8 images says little


class ProgressHook(Hook):
    """Shows how far a run is, how long it will take, and its losses.

    On a terminal one live line with a bar; elsewhere (a pipe, a file), and where several processes share the terminal
    and ``bar`` is False, a short line every ``every_seconds``. MMEngine's
    own log is not touched: it has all the losses, and belongs into a file when this hook is used.

    Args:
        title: What the line starts with.
        losses: Names of logged values to show, with the labels to show them by.
        stream: Where to write; standard output by default.
        every_seconds: Time between two lines, where there is no bar.
        bar: Whether there may be a bar. Defaults to True.

    Example:
        >>> hook = ProgressHook('student', {'loss': 'loss'})
        >>> # runner.register_hook(hook, priority='LOWEST'); runner.train()
    """

    def __init__(
        self,
        title: str,
        losses: Mapping[str, str],
        stream: TextIO | None = None,
        every_seconds: float = 15.0,
        bar: bool = True,
    ) -> None:
        self._title = title
        self._labels = dict(losses)
        self._stream = stream or sys.stdout
        self._every = every_seconds
        self._means: dict[str, float] = {}
        self._wants_bar = bar
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._start = self._last_line = 0.0

    def before_train(self, runner: Runner) -> None:
        """Start the clock and, on a terminal, the bar."""
        self._start = self._last_line = time.monotonic()
        if self._wants_bar and self._stream.isatty():
            columns = (
                TextColumn('{task.description}'),
                BarColumn(bar_width=24),
                TaskProgressColumn(),
                TimeRemainingColumn(),
                TextColumn('{task.fields[note]}'),
            )
            self._bar = Progress(*columns, console=Console(file=self._stream), redirect_stdout=False)
            self._task = self._bar.add_task(self._title, total=runner.max_iters, note='')
            self._bar.start()

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Mapping[str, Any] | None = None
    ) -> None:
        """Advance by one iteration."""
        for name in self._labels:
            if outputs and name in outputs:
                value = float(outputs[name])
                self._means[name] = _SMOOTHING * self._means.get(name, value) + (1 - _SMOOTHING) * value
        done = runner.iter + 1
        if self._bar is not None:
            self._bar.update(self._task, completed=done, note=self._losses())
        elif time.monotonic() - self._last_line >= self._every or done == runner.max_iters:
            self._last_line = time.monotonic()
            left = (self._last_line - self._start) / done * (runner.max_iters - done)
            self._write_line(f'{done:4d}/{runner.max_iters} it  {done / runner.max_iters:4.0%}  {_clock(left)} left')

    def before_val(self, runner: Runner) -> None:
        """Say that it is evaluating, which takes a while, too."""
        if self._bar is not None:
            self._bar.update(self._task, note='evaluating')

    def after_train(self, runner: Runner) -> None:
        """End the live line."""
        self.close()

    def close(self) -> None:
        """Give the terminal back, also if training ended early."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _losses(self) -> str:
        return '  '.join(
            f'{label} {self._means[name]:.3f}' for name, label in self._labels.items() if name in self._means
        )

    def _write_line(self, text: str) -> None:
        print(f'{self._title}  {text}  {self._losses()}', file=self._stream, flush=True)


def _clock(seconds: float) -> str:
    return str(datetime.timedelta(seconds=round(seconds)))[2:] if seconds < 3600 else f'{seconds / 3600:.1f} h'
