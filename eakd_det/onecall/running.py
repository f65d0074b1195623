"""Run a step in a process of its own, with one line about its progress."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from eakd_det.errors import ConfigError
from eakd_det.onecall.steps import Step

_TRAINING = re.compile(r'Iter\(train\)\s*\[\s*(?P<done>\d+)/(?P<all>\d+)\]')
_EPOCH = re.compile(r'Epoch\(train\)\s*(?P<done>\[\d+\]\[\s*\d+/\d+\])')
_FACTS = {'left': re.compile(r'eta: (.+?)  '), 'loss': re.compile(r'  loss: ([\d.]+)')}
_GPU_MEMORY = re.compile(r'  memory: (\d+)  ')
_WARNING = re.compile(r'(?: - WARNING - (?=(?:train|val)_dataloader)|^Warning: )(.*)')  # about the data
_EVERY_SECONDS = 30.0  # between two lines where the output is not a terminal


@dataclass(frozen=True)
class Cost:
    """What a step took.

    Attributes:
        seconds: Time from its start to its end.
        memory_mib: Peak memory of the process; of the GPU if there is one. None if unknown.
    """

    seconds: float
    memory_mib: int | None


class ProgressLine:
    """One line that is rewritten on a terminal, and repeated now and then elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._last = 0.0
        self._width = 0
        self._warnings: set[str] = set()

    def show(self, text: str) -> None:
        """Show the state."""
        if self._stream.isatty():
            self._stream.write(f'\r{text.ljust(self._width)}')
            self._width = len(text)
            self._stream.flush()
        elif time.monotonic() - self._last >= _EVERY_SECONDS:
            self._last = time.monotonic()
            print(text, file=self._stream, flush=True)

    def say(self, text: str) -> None:
        """Write a line that stays."""
        if self._stream.isatty() and self._width:
            self._stream.write(f'\r{" " * self._width}\r')
            self._width = 0
        print(text, file=self._stream, flush=True)

    def warn(self, text: str) -> None:
        """Write a warning, unless a step before had the same."""
        if text not in self._warnings:
            self._warnings.add(text)
            self.say(f'Warning: {text}')


def describe_progress(line: str) -> str | None:
    """Return the progress that a line of MMEngine's log tells; None if it tells none.

    Example:
        >>> describe_progress('mmengine - INFO - Iter(train) [ 50/300]  lr: 1e-03  eta: 0:01:20  time: 0.3  loss: 1.5')
        '50/300, loss 1.5, 0:01:20 left'
    """
    place = _TRAINING.search(line)
    epoch = None if place else _EPOCH.search(line)
    if place is None and epoch is None:
        return 'validating' if 'Iter(val)' in line or 'Epoch(val)' in line else None
    where = f'{place["done"]}/{place["all"]}' if place else str(epoch and epoch['done'])
    facts = {name: found[1] for name, pattern in _FACTS.items() if (found := pattern.search(f'{line}  '))}
    loss = f', loss {facts["loss"]}' if 'loss' in facts else ''
    left = f', {facts["left"]} left' if 'left' in facts else ''
    return f'{where}{loss}{left}'


def run_step(step: Step, log: Path, line: ProgressLine, title: str) -> Cost:
    """Run a step; its output goes to ``log``.

    Raises:
        ConfigError: If it fails; the message is the step's own if it ended with one line.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    start, gpu, tail = time.monotonic(), None, ''
    environment = {**os.environ, 'PYTHONUNBUFFERED': '1'}
    with log.open('a', encoding='utf-8') as file:
        process = subprocess.Popen(
            [sys.executable, *step.command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors='replace',
            env=environment,
        )
        line.show(f'{title}: starting')
        for text in process.stdout or ():
            file.write(text)
            tail = text if text.strip() else tail
            if warning := _WARNING.search(text):
                line.warn(warning[1])
            if memory := _GPU_MEMORY.search(text):
                gpu = max(gpu or 0, int(memory[1]))
            if progress := describe_progress(text):
                file.flush()
                line.show(f'{title}: {progress}')
        status, own = _wait(process)
    if status:
        reason = tail.strip().removeprefix('Error: ') if tail.startswith('Error: ') else f'status {status}, see {log}'
        raise ConfigError(f'{step.name}: {reason}')
    return Cost(time.monotonic() - start, gpu or own)


def _wait(process: subprocess.Popen[str]) -> tuple[int, int | None]:
    """Return the exit status and the peak memory in MiB, where the system tells it."""
    if not hasattr(os, 'wait4'):
        return process.wait(), None
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 2**20 if sys.platform == 'darwin' else 2**10
    return process.returncode, int(usage.ru_maxrss / unit)
