"""Turn a teacher's detections into a COCO annotation file with a score threshold for each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eakd_det.errors import ConfigError


@dataclass(frozen=True)
class PhotoDetections:
    """The teacher's detections in one photo; all lengths are in pixels of the file.

    Attributes:
        file_name: Path of the photo relative to the folder.
        width: Width of the photo.
        height: Height of the photo.
        boxes: ``[x, y, width, height]`` of each detection.
        labels: Index of each detection's class.
        scores: Score of each detection, 0 to 1.
    """

    file_name: str
    width: int
    height: int
    boxes: list[list[float]]
    labels: list[int]
    scores: list[float]


def matching_thresholds(
    photos: Sequence[PhotoDetections],
    boxes_per_image: Sequence[float],
    lowest: float = 0.3,
    highest: float = 0.9,
) -> list[float]:
    """Return for each class the score at which photos have as many boxes as labelled images, on average.

    A teacher is more confident in some classes than in others, so that a single threshold would drop rare classes. The
    photos are assumed to show the same scenes as the labelled images.

    Args:
        photos: All detections, including low scores.
        boxes_per_image: Mean number of boxes of each class in a labelled image.
        lowest: Lower bound of the thresholds.
        highest: Upper bound of the thresholds.

    Example:
        >>> photo = PhotoDetections('a.jpg', 9, 9, [[0, 0, 1, 1]] * 3, [0, 0, 0], [0.8, 0.6, 0.4])
        >>> matching_thresholds([photo], [2.0])
        [0.6]
    """
    thresholds = []
    for label, expected in enumerate(boxes_per_image):
        detections = (pair for photo in photos for pair in zip(photo.labels, photo.scores, strict=True))
        scores = sorted(score for found, score in detections if found == label)
        wanted = round(expected * len(photos))
        score = highest if wanted == 0 else scores[-wanted] if wanted <= len(scores) else lowest
        thresholds.append(float(np.clip(score, lowest, highest)))
    return thresholds


def coco_content(
    photos: Sequence[PhotoDetections], classes: Sequence[str], thresholds: Sequence[float], info: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the content of a COCO annotation file with the detections at or above their class's threshold.

    Args:
        photos: The detections.
        classes: Names of the classes, in the order of the labels.
        thresholds: Lowest score of each class.
        info: Origin of the labels, such as the teacher, its hash and the rule.

    Raises:
        ConfigError: If no detection is left.

    Example:
        >>> photo = PhotoDetections('a.jpg', 9, 9, [[0, 0, 2, 3], [1, 1, 2, 2]], [0, 0], [0.8, 0.4])
        >>> content = coco_content([photo], ['cat'], [0.5], {})
        >>> [(item['bbox'], item['area'], item['score']) for item in content['annotations']]
        [([0, 0, 2, 3], 6, 0.8)]
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, photo in enumerate(photos, 1):
        images.append(dict(id=number, file_name=photo.file_name, width=photo.width, height=photo.height))
        for box, label, score in zip(photo.boxes, photo.labels, photo.scores, strict=True):
            if score < thresholds[label]:
                continue
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=number,
                    category_id=label + 1,
                    bbox=box,
                    area=box[2] * box[3],
                    iscrowd=0,
                    score=score,
                )
            )
    if not annotations:
        best = max((score for photo in photos for score in photo.scores), default=0.0)
        raise ConfigError(
            f'--score: expected detections at or above {min(thresholds):g}, but the highest score in {len(photos)} '
            f'photos is {best:.2f}; check that the teacher fits these photos'
        )
    categories = [dict(id=number, name=name) for number, name in enumerate(classes, 1)]
    return dict(info=dict(info), images=images, annotations=annotations, categories=categories)
