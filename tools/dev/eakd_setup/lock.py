"""One set-up at a time in a checkout, whatever was killed before."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


class Lock:
    """A held lock file, which names the set-up that holds it and the process group of the command that it runs.

    The command inherits the file descriptor, and so keeps the lock if the set-up itself is killed: what it left
    running gets no rival. The system lets go of the lock when the last of them ends.
    """

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.descriptor = file.fileno()
        self.note_group(0)

    def note_group(self, group: int) -> None:
        """Write down which process group is at work; 0 is none."""
        self.file.seek(0)
        self.file.truncate()
        self.file.write(f'{os.getpid()} {group}')
        self.file.flush()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[Lock]:
    """Hold the lock file ``path``, waiting for another set-up in this checkout if there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('a+') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _deal_with_the_holder(path)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield Lock(file)


def _deal_with_the_holder(path: Path) -> None:
    """Say who holds the lock; end what a killed set-up left running, since nobody sees its progress any more."""
    try:
        holder, group = (int(part) for part in path.read_text().split())
    except ValueError:
        holder, group = 0, 0
    if group and not _is_alive(holder) and _is_of_checkout(group, path.parent.parent):
        print('An earlier set-up was killed; ending what it left running.', flush=True)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGTERM)
    else:
        print(f'Another set-up is at work in this checkout (process {holder}); waiting for it.', flush=True)


def _is_alive(process: int) -> bool:
    """Tell whether a process of that number runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_of_checkout(process: int, root: Path) -> bool:
    """Tell whether a process is one of this checkout's virtual environment, and no other that got its number."""
    try:
        result = subprocess.run(['ps', '-o', 'args=', '-p', str(process)], capture_output=True, text=True)
    except OSError:
        return False
    return str(root / '.venv') in result.stdout
