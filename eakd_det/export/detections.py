"""What a detector finds on one photo."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Detections:
    """Boxes with scores, the highest first.

    Attributes:
        boxes: ``(N, 4)`` float32: x1, y1, x2, y2 in pixels of the photo.
        scores: ``(N,)`` float32, from 0 to 1.
        labels: ``(N,)`` int64, indices of ``classes``.
        classes: Names of all classes that the detector knows.

    Example:
        >>> found = Detections(np.zeros((2, 4)), np.array([0.9, 0.2]), np.array([1, 0]), ('cat', 'dog'))
        >>> found.names, len(found.above(0.5))
        (['dog', 'cat'], 1)
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]

    @classmethod
    def of(cls, boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, classes: tuple[str, ...]) -> Detections:
        """Return detections in the order of their scores."""
        order = np.argsort(-scores, kind='stable')
        kinds = np.asarray(labels, np.int64)
        return cls(np.asarray(boxes, np.float32)[order], np.asarray(scores, np.float32)[order], kinds[order], classes)

    @property
    def names(self) -> list[str]:
        """The class name of each box."""
        return [self.classes[label] for label in self.labels]

    def above(self, score: float) -> Detections:
        """Return the detections with at least ``score``."""
        kept = self.scores >= score
        return replace(self, boxes=self.boxes[kept], scores=self.scores[kept], labels=self.labels[kept])

    def __len__(self) -> int:
        return len(self.scores)
