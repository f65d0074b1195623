"""Complete annotation files that lack ``area``, which MMDetection and pycocotools require, from the boxes."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from eakd_det.datasets.json_records import is_box
from eakd_det.files import write_atomically

_READERS = ('train_dataloader', 'val_dataloader', 'test_dataloader', 'val_evaluator', 'test_evaluator')


def derive_areas(cfg: Config) -> None:
    """Let data sets and evaluators of ``cfg`` read completed copies of COCO files that lack ``area``, in place.

    The copies are in ``cfg.work_dir``; without one, nothing is changed. The area of an outline, which
    COCO uses, is smaller than that of its box; this only affects AP by object size.
    """
    if not cfg.get('work_dir'):
        return
    for key in _READERS:
        for node in _readers(cfg.get(key)):
            source = Path(node.get('data_root') or '') / node['ann_file']
            content = _completed(source)
            if content is not None:
                copy = Path(cfg.work_dir).absolute() / 'annotations' / _distinct_name(source.resolve())
                write_atomically(copy, content)
                node['ann_file'] = str(copy)
                print_log(f'{key}: {source} lacks area; {copy} has that of the boxes', logger='current')


def _readers(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every config that names a local annotation file."""
    if isinstance(node, dict):
        name = node.get('ann_file')
        if isinstance(name, str) and name and '://' not in name:
            yield node
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, (list, tuple)) else ():
        yield from _readers(value)


def _distinct_name(path: Path) -> str:
    """Return a file name that no other path has, so that copies of files of one name do not overwrite each other."""
    return f'{path.stem}-{zlib.crc32(str(path).encode()):08x}.json'


def _completed(path: Path) -> bytes | None:
    """Return the file with all areas; None if it has them, or something else is wrong with it."""
    text = path.read_bytes() if path.is_file() else b''
    if text.count(b'"area"') >= text.count(b'"bbox"'):
        return None
    try:
        data = json.loads(text)
        lacking = [annotation for annotation in data['annotations'] if 'area' not in annotation]
        boxes = [annotation['bbox'] for annotation in lacking]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None  # the check of annotation files explains it
    if not boxes or not all(map(is_box, boxes)):
        return None
    for annotation, (_, _, width, height) in zip(lacking, boxes, strict=True):
        annotation['area'] = width * height
    return json.dumps(data).encode()
