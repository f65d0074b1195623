"""The resizing of photos in testing, as data that an exported model carries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from eakd_det.errors import ConfigError


@dataclass(frozen=True)
class Resizing:
    """A photo is resized to fit into ``scale`` and then padded on the right and below.

    Attributes:
        scale: Longer and shorter side into which the photo must fit, in any order, if ``keep_ratio``; else width and
            height.
        keep_ratio: Whether width and height are scaled alike.
        pad_to: Width and height after padding; None is no padding.
        pad_value: The grey level of the padding.
    """

    scale: tuple[int, int]
    keep_ratio: bool = True
    pad_to: tuple[int, int] | None = None
    pad_value: int = 114

    @classmethod
    def of(cls, transforms: Sequence[dict[str, Any]]) -> Resizing:
        """Read the transforms of a config's test pipeline.

        Raises:
            ConfigError: If there are others than ``Resize`` and ``Pad``.

        Example:
            >>> Resizing.of([dict(type='Resize', scale=(200, 150), keep_ratio=True)]).scale
            (200, 150)
        """
        kinds = {str(step['type']).rpartition('.')[2]: step for step in transforms}
        resize, padding = kinds.pop('Resize', {}), kinds.pop('Pad', {})
        for passive in ('LoadImageFromNDArray', 'LoadImageFromFile', 'LoadAnnotations', 'PackDetInputs'):
            kinds.pop(passive, None)
        scale: Any = resize.get('scale')
        plain = isinstance(scale, (tuple, list)) and len(scale) == 2 and all(isinstance(side, int) for side in scale)
        resampled = resize.get('interpolation', 'bilinear') != 'bilinear' or resize.get('backend', 'cv2') != 'cv2'
        if kinds or not plain or resampled or (padding and not padding.get('size')):
            raise ConfigError(
                'test_dataloader.dataset.pipeline: expected Resize to a scale (width, height), bilinear, and perhaps '
                f'Pad to a size, which an exported model repeats, but got {[str(step["type"]) for step in transforms]}'
            )
        value = padding.get('pad_val', 0)
        value = value.get('img', 0) if isinstance(value, dict) else value
        grey = int(value[0] if isinstance(value, (tuple, list)) else value)
        pad_to = (int(padding['size'][0]), int(padding['size'][1])) if padding else None
        return cls((scale[0], scale[1]), bool(resize.get('keep_ratio', False)), pad_to, grey)

    @classmethod
    def from_json(cls, text: str) -> Resizing:
        """Undo :meth:`to_json`."""
        content = json.loads(text)
        pad_to = content['pad_to']
        return cls(tuple(content['scale']), content['keep_ratio'], pad_to and tuple(pad_to), content['pad_value'])

    def to_json(self) -> str:
        """Return the settings as text."""
        return json.dumps(asdict(self))

    def __call__(self, image: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
        """Resize an image ``(height, width, 3)``; return it and its scale factors along x and y.

        Example:
            >>> image, factors = Resizing((200, 150))(np.zeros((480, 640, 3), np.uint8))
            >>> image.shape, factors
            ((150, 200, 3), (0.3125, 0.3125))
        """
        height, width = image.shape[:2]
        new = self.scale
        if self.keep_ratio:
            factor = min(max(new) / max(height, width), min(new) / min(height, width))
            new = (int(width * factor + 0.5), int(height * factor + 0.5))
        resized = cv2.resize(image, new, interpolation=cv2.INTER_LINEAR)
        if self.pad_to is not None:
            right, below = max(self.pad_to[0] - new[0], 0), max(self.pad_to[1] - new[1], 0)
            grey = (self.pad_value,) * 3
            resized = cv2.copyMakeBorder(resized, 0, below, 0, right, cv2.BORDER_CONSTANT, value=grey)
        return np.asarray(resized), (new[0] / width, new[1] / height)
