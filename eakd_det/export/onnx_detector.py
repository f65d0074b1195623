"""An exported detector, run by onnxruntime."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from eakd_det.errors import ConfigError
from eakd_det.export.detections import Detections
from eakd_det.export.images import read_bgr
from eakd_det.export.onnx_file import INPUT, require
from eakd_det.export.resizing import Resizing


class OnnxDetector:
    """An exported detector: ``detector(photo)`` returns what it finds, as :class:`Detector` does.

    Attributes:
        classes: Names of the classes.
        resizing: The resizing of photos.

    Args:
        path: The file.
        threads: Threads of onnxruntime; 0 is its default.

    Raises:
        ConfigError: If the file is missing or was not written by :func:`export_onnx`.
    """

    def __init__(self, path: str | Path, threads: int = 0) -> None:
        runtime = require('onnxruntime')
        if not Path(path).is_file():
            raise ConfigError(f'detector: expected an exported file, but {path} does not exist')
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session = runtime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])
        metadata = self._session.get_modelmeta().custom_metadata_map
        if not {'classes', 'resizing'} <= set(metadata):
            raise ConfigError(
                f'detector: expected a file written by eakd-export, but {path} has no classes and resizing'
            )
        self.classes: tuple[str, ...] = tuple(json.loads(metadata['classes']))
        self.resizing = Resizing.from_json(metadata['resizing'])

    def __call__(self, image: Any) -> Detections:
        """Return the detections on a photo: a path, a PIL image, or an array of uint8 in RGB."""
        photo = read_bgr(image)
        resized, factors = self.resizing(photo)
        boxes, scores, labels = self._session.run(None, {INPUT: self.tensor(resized)})
        boxes = np.asarray(boxes).reshape(-1, 4) / np.array([*factors, *factors], np.float32)
        return Detections.of(boxes, scores, labels, self.classes)

    @staticmethod
    def tensor(resized: np.ndarray) -> np.ndarray:
        """Return a resized photo ``(height, width, 3)`` in BGR as the graph takes it."""
        return np.ascontiguousarray(resized[..., ::-1].transpose(2, 0, 1)[None])
