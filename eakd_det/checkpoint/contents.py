"""Classes and functions that a checkpoint file would import, found without unpickling it."""

from __future__ import annotations

import mmap
import pickletools
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import torch

_ZIP = b'PK\x03\x04'
_HARMLESS = frozenset(
    {
        'torch.nn.parameter.Parameter',
        'torch.serialization._get_layout',
        'numpy.dtype',
        'numpy.ndarray',
        'collections.OrderedDict',
        '_codecs.encode',
        'mmengine.logging.history_buffer.HistoryBuffer',
        *(f'{module}.{name}' for module in ('builtins', '__builtin__') for name in ('getattr', 'set')),
    }
)
_HARMLESS_PREFIXES = (
    *('torch._utils._rebuild_', 'torch._tensor._rebuild_', 'torch.storage.'),
    *('numpy.core.multiarray.', 'numpy._core.multiarray.', 'numpy.dtypes.'),
)
_BROKEN = (ValueError, KeyError, IndexError, UnicodeError, zipfile.BadZipFile, OSError, StopIteration)


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
            if not _is_harmless(name):
                found[name] = None
    except _BROKEN:
        pass  # a damaged file: report what precedes the damage
    return tuple(found)


def is_whole_pickle(path: Path) -> bool:
    """Return whether the file's pickle can be followed to its end."""
    try:
        return all(True for _ in _imported_names(_pickle_of(path)))
    except _BROKEN:
        return False


def _is_harmless(name: str) -> bool:
    module, _, member = name.rpartition('.')
    if module == 'torch':
        kinds = (torch.dtype, torch.layout, torch.memory_format)
        return (
            member.endswith('Storage') or member in ('Size', 'device') or isinstance(getattr(torch, member, 0), kinds)
        )
    return name in _HARMLESS or name.startswith(_HARMLESS_PREFIXES)


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
