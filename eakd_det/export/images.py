"""Photos as a detector takes them: a file, a PIL image, or an array."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from eakd_det.errors import ConfigError


def read_bgr(image: Any) -> np.ndarray:
    """Return a photo as ``(height, width, 3)`` uint8, BGR.

    Args:
        image: A path; a PIL image; or an array, ``(height, width, 3)`` in RGB or ``(height, width)`` in grey, uint8.
            Files and PIL images are rotated by their EXIF orientation, as in training.

    Raises:
        ConfigError: If the file cannot be read, or ``image`` is none of these.

    Example:
        >>> read_bgr(np.full((1, 1, 3), (255, 0, 7), np.uint8)).tolist()
        [[[7, 0, 255]]]
    """
    if isinstance(image, (str, os.PathLike)):
        return _read_file(Path(image))
    if hasattr(image, 'getexif'):
        from PIL import ImageOps

        image = np.asarray(ImageOps.exif_transpose(image).convert('RGB'))
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        kind = f'an array of {image.dtype}' if isinstance(image, np.ndarray) else f'{type(image).__name__}'
        raise ConfigError(f'image: expected a path, a PIL image or an array of uint8, but got {kind}')
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ConfigError(f'image: expected an array (height, width, 3) or (height, width), but got {image.shape}')
    return np.ascontiguousarray(image[..., ::-1])


def _read_file(path: Path) -> np.ndarray:
    if not path.is_file():
        raise ConfigError(f'image: expected a photo, but {path} does not exist')
    content = np.fromfile(path, np.uint8)
    image = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
    if image is None:
        raise ConfigError(f'image: expected a photo, but {path} cannot be read as one')
    return np.asarray(image)
