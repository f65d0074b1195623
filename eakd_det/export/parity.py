"""Agreement of two forms of a detector on photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eakd_det.export.detections import Detections
from eakd_det.export.detector import CallableDetector

SCORE_TOLERANCE = 1e-3
BOX_TOLERANCE = 1e-3  # of the photo's longer side


@dataclass(frozen=True)
class Parity:
    """Largest differences between the detections of two detectors.

    Attributes:
        photos: Number of photos.
        detections: Number of detections of the first that were compared.
        score: Largest difference of a score.
        box: Largest difference of a coordinate, as a fraction of the photo's longer side.
        unmatched: Detections of either without a counterpart of the same class within both tolerances.
    """

    photos: int
    detections: int
    score: float
    box: float
    unmatched: int

    @property
    def holds(self) -> bool:
        """Whether every detection has a counterpart within the tolerances."""
        return self.unmatched == 0

    def __str__(self) -> str:
        verdict = 'agree' if self.holds else f'differ: {self.unmatched} without a counterpart'
        return (
            f'{self.detections} detections on {self.photos} photos {verdict} (tolerance {SCORE_TOLERANCE:g} in score '
            f'and in box, relative to the longer side; largest difference {self.score:.1e} and {self.box:.1e})'
        )


def compare_detectors(
    first: CallableDetector, second: CallableDetector, photos: Sequence[Path], score: float = 0.05
) -> Parity:
    """Compare the detections of two detectors.

    Those within the tolerance of the score threshold are left out: one of both may have dropped them.

    Args:
        first: For example a :class:`Detector`.
        second: For example an :class:`OnnxDetector` of it.
        photos: The photos.
        score: The larger of both score thresholds.
    """
    worst_score = worst_box = 0.0
    compared = unmatched = 0
    for photo in photos:
        one, other = first(photo), second(photo)
        side = float(max(1.0, one.boxes.max(initial=1.0), other.boxes.max(initial=1.0)))
        for index, (mine, theirs) in enumerate(((one, other), (other, one))):
            for row in np.flatnonzero(mine.scores >= score + SCORE_TOLERANCE):
                differences = _closest(mine, int(row), theirs, side)
                if differences is None:
                    unmatched += 1
                elif index == 0:
                    worst_score, worst_box = max(worst_score, differences[0]), max(worst_box, differences[1])
                compared += index == 0
    return Parity(len(photos), compared, worst_score, worst_box, unmatched)


def _closest(mine: Detections, row: int, theirs: Detections, side: float) -> tuple[float, float] | None:
    """Return the differences in score and box to the most similar detection; None if it exceeds the tolerances."""
    same = theirs.labels == mine.labels[row]
    scores = np.abs(theirs.scores[same] - mine.scores[row])
    boxes = np.abs(theirs.boxes[same] - mine.boxes[row]).max(axis=1, initial=0.0) / side
    close = (scores <= SCORE_TOLERANCE) & (boxes <= BOX_TOLERANCE)
    if not close.any():
        return None
    best = int(np.argmin(np.where(close, scores + boxes, np.inf)))
    return float(scores[best]), float(boxes[best])
