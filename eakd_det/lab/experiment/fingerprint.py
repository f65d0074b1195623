"""One check sum of all that a run's result depends on, to know a finished run again."""

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
_PLACES = ('work_dir', 'data_root')  # where things lie, which may change; what lies there counts by its content


def fingerprint(cfg: Config, inputs: Iterable[Path] = ()) -> str:
    """The check sum of a config, of this package's version, and of the files behind the config.

    Files count by content and not by name, so that a folder may be moved: checkpoints, annotation files, whatever
    else a value of the config names. Images do not count, the annotations stand for them. What has to be downloaded
    counts by its address.

    Args:
        cfg: The config, complete.
        inputs: Files besides those which the config names.

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
    """A short check sum of the part of this package's source that trains and evaluates, as it lies on the disk.

    It is recorded and not part of the fingerprint: a word changed in a docstring shall not cost a day of training.

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
    """COCO's annotations are half a gigabyte and belong to every run: read once a process, unless they change."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
