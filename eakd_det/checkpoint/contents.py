"""Classes and functions that a checkpoint file would import, found without unpickling it."""

from __future__ import annotations

import mmap
import pickletools
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

_ZIP = b'PK\x03\x04'
_HARMLESS = (
    'torch.',
    'numpy.dtype',
    'numpy.ndarray',
    'numpy.core.multiarray.',
    'numpy._core.multiarray.',
    'collections.OrderedDict',
    '_codecs.encode',
    'mmengine.logging.history_buffer.HistoryBuffer',
    'builtins.getattr',
    '__builtin__.getattr',
)


def program_format(path: Path) -> str | None:
    """Return the name of the format if it is TorchScript or the tar format of torch before 0.1.10, else None.

    ``torch.load`` passes both to readers that ``weights_only`` did not restrict before torch 2.6. It recognises them by
    the first bytes and by a name in the archive, and so does this function, because a file may be valid in two formats
    at once.
    """
    with path.open('rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content[: len(_ZIP)] == _ZIP:
            return 'a TorchScript program' if content.find(b'constants.pkl') >= 0 else None
    return "a tar file of torch's first format" if tarfile.is_tarfile(path) else None


def foreign_objects(path: Path) -> tuple[str, ...]:
    """Return the classes and functions (``module.name``) in the pickle that a checkpoint of tensors does not need."""
    found: dict[str, None] = {}
    try:
        for name in _imported_names(_pickle_of(path)):
            if not name.startswith(_HARMLESS):
                found[name] = None
    except (ValueError, KeyError, IndexError, UnicodeError, zipfile.BadZipFile, OSError):
        pass  # a damaged file: report what precedes the damage
    return tuple(found)


def _pickle_of(path: Path) -> bytes:
    if not zipfile.is_zipfile(path):
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        return archive.read(next(name for name in archive.namelist() if name.endswith('/data.pkl')))


def _imported_names(pickled: bytes) -> Iterator[str]:
    """Yield the names of the opcodes GLOBAL, INST and STACK_GLOBAL; the last uses the two strings before it."""
    strings: list[str] = []
    memo: dict[int, str] = {}
    start = 0
    while start < len(pickled):  # torch's old format is a sequence of pickles
        end = 0
        for opcode, argument, position in pickletools.genops(pickled[start:]):
            end = position or 0
            if opcode.name in ('GLOBAL', 'INST'):
                yield str(argument).replace(' ', '.')
            elif opcode.name == 'STACK_GLOBAL':
                yield '.'.join(strings[-2:])
            elif isinstance(argument, str):
                strings.append(argument)
            elif opcode.name == 'MEMOIZE' and strings:
                memo[len(memo)] = strings[-1]
            elif opcode.name in ('BINPUT', 'LONG_BINPUT') and strings:
                memo[int(argument or 0)] = strings[-1]
            elif opcode.name in ('BINGET', 'LONG_BINGET') and argument in memo:
                strings.append(memo[int(argument)])
        start += end + 1
