"""Export of the student's weights for programs without this package."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from eakd_det.checkpoint.loading import checkpoint_classes, detector_state_dict, load_checkpoint_file
from eakd_det.files import write_atomically

STUDENT_WEIGHTS = 'student.pth'


def write_student_weights(checkpoint: str | Path, path: str | Path) -> None:
    """Write the detector's weights and class names of a run's ``checkpoint`` to ``path``.

    A run's checkpoint also holds the optimizer and a log history, whose classes ``torch.load(weights_only=True)``, the
    default since torch 2.6, rejects. This file has tensors and plain values only: ``mmdet.apis.init_detector`` of stock
    MMDetection loads it.

    Raises:
        ConfigError: If ``checkpoint`` cannot be read, or holds no weights.
        OSError: If ``path`` cannot be written.
    """
    content = load_checkpoint_file(checkpoint)
    weights = dict(detector_state_dict(content, 'checkpoint', str(checkpoint)))
    meta: dict[str, Any] = {}
    classes = checkpoint_classes(content)
    if classes:
        meta['dataset_meta'] = {'classes': classes}
        palette = content['meta'].get('dataset_meta', {}).get('palette')
        if isinstance(palette, (list, tuple)):
            meta['dataset_meta']['palette'] = [tuple(int(part) for part in colour) for colour in palette]
    buffer = io.BytesIO()
    torch.save({'meta': meta, 'state_dict': weights}, buffer)
    write_atomically(path, buffer.getvalue())
