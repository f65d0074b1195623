"""Validation photos with their objects and what each detector finds, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from mmengine.structures import InstanceData

from eakd_det.export import Detections
from eakd_det.export.detector import CallableDetector
from eakd_det.export.images import read_bgr
from eakd_det.export.validation import Photo
from eakd_det.inspection.runs import FinishedRun
from eakd_det.visualization.detections import DetectedScene, side_by_side

TITLES = {'teacher': 'teacher', 'student': 'student', 'distilled': 'distilled student'}


def draw_run(run: FinishedRun, path: Path, number: int = 4) -> Path:
    """Draw validation photos with the detections of a run's teacher, plain student and distilled student.

    Args:
        run: The run.
        path: File to write.
        number: Number of photos, evenly spread over those with objects: not chosen by result.
    """
    detectors = {TITLES[name]: detector for name, detector in run.detectors().items()}
    photos = run.photos()
    return draw_photos(photos.spread(number), photos.classes, detectors, path)


def draw_photos(
    photos: Sequence[Photo], classes: Sequence[str], detectors: Mapping[str, CallableDetector], path: Path
) -> Path:
    """Draw photos, a row each, with a column for the ground truth and one for each detector."""
    scenes = [
        DetectedScene(
            np.ascontiguousarray(read_bgr(photo.path)[..., ::-1]),
            InstanceData(bboxes=photo.boxes, labels=photo.labels),
            {title: _instances(detector(photo.path)) for title, detector in detectors.items()},
        )
        for photo in photos
    ]
    side_by_side(scenes, classes, path)
    return path


def _instances(found: Detections) -> InstanceData:
    return InstanceData(bboxes=found.boxes, labels=found.labels, scores=found.scores)
