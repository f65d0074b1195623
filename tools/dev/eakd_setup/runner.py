"""Run a long command with one line of progress; all that it prints goes to a log file."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from eakd_setup.checks import SetupError
from eakd_setup.lock import Lock

SECONDS_BETWEEN_LINES = 20.0
_NINJA = re.compile(r'^\s*\[(\d+)/(\d+)\] ')
_PIP = re.compile(
    r'^\s*(Collecting|Downloading|Processing|Building wheel for|Installing collected packages|Preparing)\b:?\s*(\S*)'
)


def clock(seconds: float) -> str:
    """Return a duration as ``'2 min 05 s'``."""
    minutes, rest = divmod(round(seconds), 60)
    return f'{minutes} min {rest:02d} s' if minutes else f'{rest} s'


def pip_status(line: str) -> str | None:
    """Condense a line of pip's output: ``'Collecting torch==2.13.0'`` or ``None`` if it says nothing new."""
    match = _PIP.match(line)
    if match is None:
        return None
    action, name = match.groups()
    if action == 'Installing collected packages':
        count = line.count(',') + 1
        return f'installing {count} package{"s" if count > 1 else ""}'
    return f'{action.lower()} {_short(name)}'


def _short(name: str) -> str:
    """Return ``'torch-2.13.0'`` for a wheel's address; anything else stays as it is."""
    file = Path(name).name
    return '-'.join(file.split('-')[:2]) if file.endswith('.whl') else file


def compile_status(line: str) -> str | None:
    """Condense a line of ninja's output: ``'12 of 76 files compiled'``, or pip's before ninja starts."""
    match = _NINJA.match(line)
    return f'{match.group(1)} of {match.group(2)} files compiled' if match else pip_status(line)


class ProgressLine:
    """One line that rewrites itself on a terminal, and comes every 20 seconds where output goes to a file."""

    def __init__(self, indent: str = '      ') -> None:
        self.start = time.monotonic()
        self.indent = indent
        self.live = sys.stdout.isatty()
        self.last_shown = self.start
        self.width = 0

    def elapsed(self) -> str:
        """Return the time since the start, for people."""
        return clock(time.monotonic() - self.start)

    def show(self, status: str) -> None:
        """Show ``status`` if it is time to."""
        now = time.monotonic()
        if now - self.last_shown < (0.2 if self.live else SECONDS_BETWEEN_LINES):
            return
        self.last_shown = now
        text = f'{self.indent}{self.elapsed()}: {status}'
        if self.live:
            text = text[:100]
            print('\r' + text.ljust(self.width), end='', flush=True)
            self.width = len(text)
        else:
            print(text, flush=True)

    def finish(self, text: str) -> None:
        """Replace the line by a last one."""
        print(('\r' if self.live else '') + f'{self.indent}{text}'.ljust(self.width), flush=True)


def run(
    command: Sequence[str],
    *,
    log: Path,
    what: str = '',
    status: Callable[[str], str | None] = pip_status,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    lock: Lock | None = None,
    on_line: Callable[[str], None] | None = None,
) -> None:
    """Run ``command`` and show ``status`` of its output; raise :class:`SetupError` with its last lines if it fails.

    ``what`` names it in the closing line. The command gets a process group of its own, which dies with us, and
    keeps the ``lock`` should we be killed.
    """
    what = f'{what}: ' if what else ''
    progress = ProgressLine()
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors='replace',
        env=None if env is None else dict(env),
        cwd=cwd,
        start_new_session=True,
        pass_fds=() if lock is None else (lock.descriptor,),
    )
    if lock is not None:
        lock.note_group(process.pid)
    try:
        lines = _follow(process, log, progress, status, on_line)
        code = process.wait()
    except BaseException:
        _end(process)
        raise
    if code != 0:
        tail = '\n'.join(f'    {line}' for line in lines[-15:])
        progress.finish(f'{what}failed after {progress.elapsed()}')
        raise SetupError(f'{" ".join(command[:6])} ... ended with status {code}:\n{tail}\n  All output: {log}')
    progress.finish(f'{what}done in {progress.elapsed()}')


def _follow(
    process: subprocess.Popen[str],
    log: Path,
    progress: ProgressLine,
    status: Callable[[str], str | None],
    on_line: Callable[[str], None] | None,
) -> list[str]:
    """Copy the output to the log until it ends, and return its lines."""
    incoming: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            incoming.put(line.rstrip('\n'))
        incoming.put(None)

    threading.Thread(target=read, daemon=True).start()
    lines: list[str] = []
    current = 'started'
    with log.open('a') as file:
        file.write(f'\n$ {process.args!r}\n')
        while True:
            with contextlib.suppress(queue.Empty):
                line = incoming.get(timeout=1.0)
                if line is None:
                    return lines
                lines.append(line)
                file.write(line + '\n')
                if on_line is not None:
                    on_line(line)
                current = status(line) or current
            progress.show(current)


def _end(process: subprocess.Popen[str]) -> None:
    """End the command and all that it started."""
    for how, patience in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience)
            return
