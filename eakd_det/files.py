"""Files that are there as a whole or not at all."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file so that whoever reads it, and whatever happens meanwhile, sees the old or the new one.

    The bytes go to a hidden file beside it and to the disk before that takes the name. What a killed process leaves
    behind of it, :func:`remove_unfinished` takes away.

    Raises:
        OSError: If they cannot be written, for example to a full disk; the old file is as it was.

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
    """Write ``content`` as JSON, see :func:`write_atomically`.

    Raises:
        OSError: As :func:`write_atomically`.
    """
    write_atomically(path, (json.dumps(content, indent=1) + '\n').encode())


def remove_unfinished(folder: str | Path, pattern: str) -> list[str]:
    """Remove what processes that were killed have left of their files ``pattern``; gives the names.

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
    """Whether ``error`` says that a disk, a quota or a limit is full.

    Example:
        >>> is_out_of_space(OSError(28, 'No space left on device')), is_out_of_space(OSError(13, 'Permission denied'))
        (True, False)
    """
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def _sync_folder(folder: Path) -> None:
    """Without this the new name may be lost in a power failure; file systems that cannot do it are left alone."""
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
