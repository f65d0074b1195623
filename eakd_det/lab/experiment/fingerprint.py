"""Checksum of all that a run's result depends on, to recognise a finished run."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmengine.config import Config

from eakd_det.version import __version__

_WATCHERS = ('lab', 'visualization', '.mim')
_PLACES = ('work_dir', 'data_root')  # locations, which may change; files count by their content


def fingerprint(cfg: Config, inputs: Iterable[Path] = ()) -> str:
    """Return the checksum of a config, of this package's version, and of the files that the config names.

    Files count by content and not by name, so that a folder may be moved: checkpoints, annotation files, and any other
    file that is a value of the config. Images do not count; the annotations represent them. Downloads count by their
    address.

    Args:
        cfg: The complete config.
        inputs: Files in addition to those that the config names.

    Example:
        >>> a, b = Config(dict(lr=0.1, work_dir='here')), Config(dict(lr=0.1, work_dir='there'))
        >>> fingerprint(a) == fingerprint(b), fingerprint(a) == fingerprint(Config(dict(lr=0.2)))
        (True, False)
    """
    settings = _settled(cfg.to_dict())
    digest = hashlib.sha256(json.dumps([__version__, settings], sort_keys=True, default=str).encode())
    for path in inputs:
        digest.update(_content(path).encode())
    return digest.hexdigest()


def source_digest() -> str:
    """Return a short checksum of the part of this package's source that trains and evaluates.

    It is recorded, but not part of the fingerprint: a changed docstring should not cost a day of training.

    Example:
        >>> len(source_digest())
        12
    """
    root = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256()
    for path in sorted(root.rglob('*.py')):
        name = path.relative_to(root)
        if name.parts[0] not in _WATCHERS:
            digest.update(f'{name} '.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def _settled(node: Any) -> Any:
    if isinstance(node, dict):
        items = {key: _settled(value) for key, value in node.items() if key not in _PLACES}
        annotations = Path(node.get('data_root') or '') / str(node.get('ann_file') or '')
        if annotations.is_file():
            items['ann_file'] = _content(annotations)
        return items
    if isinstance(node, (list, tuple)):
        return [_settled(value) for value in node]
    if isinstance(node, str) and Path(node).suffix and len(node) < 1000 and Path(node).is_file():
        return _content(Path(node))
    return node


def _content(path: Path) -> str:
    state = path.stat()
    return _read(str(path.resolve()), state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=256)
def _read(path: str, modified: int, size: int) -> str:
    """Return the checksum of a file, cached per process: COCO's annotations are half a gigabyte, read for every run."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
