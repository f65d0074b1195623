"""Atomic writing of files."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file so that a reader sees either the old or the new content, even after a crash.

    The content is synchronised to a hidden file in the same folder, which is then renamed. :func:`remove_unfinished`
    removes the hidden file of a killed process.

    Raises:
        OSError: If the file cannot be written, for example to a full disk; the old file does not change.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / 'a.txt'
        >>> write_atomically(path, b'one')
        >>> path.read_text(), [file.name for file in path.parent.iterdir()]
        ('one', ['a.txt'])
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    try:
        with unfinished.open('wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException as error:
        unfinished.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise
    _sync_folder(path.parent)


def write_json(path: str | os.PathLike[str], content: Any) -> None:
    """Write ``content`` as JSON with :func:`write_atomically`."""
    write_atomically(path, (json.dumps(content, indent=1) + '\n').encode())


def remove_unfinished(folder: str | Path, pattern: str) -> list[str]:
    """Remove unfinished files ``pattern`` of killed processes, and return their names.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / '.iter_2.pth.123.tmp').write_bytes(b'half')
        >>> remove_unfinished(folder, '*.pth')
        ['.iter_2.pth.123.tmp']
    """
    found = sorted(Path(folder).glob(f'.{pattern}.*.tmp'))
    for path in found:
        path.unlink(missing_ok=True)
    return [path.name for path in found]


def is_out_of_space(error: BaseException | None) -> bool:
    """Return whether ``error`` means a full disk, quota or file size limit.

    Example:
        >>> is_out_of_space(OSError(28, 'No space left on device')), is_out_of_space(OSError(13, 'Permission denied'))
        (True, False)
    """
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power failure, where the file system supports it."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        return
    finally:
        os.close(handle)
