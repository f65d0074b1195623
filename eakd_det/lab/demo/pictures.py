"""The demo's picture: detections of each detector on the first crowded validation scenes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config

from eakd_det.export import Detector
from eakd_det.export.validation import CocoPhotos
from eakd_det.inspection.picture import draw_photos
from eakd_det.lab.scenes import DigitScenes


def draw_scenes(
    path: Path,
    scenes: DigitScenes,
    detectors: Sequence[tuple[str, Config, Path | str]],
    number: int = 4,
    fewest: int = 4,
) -> None:
    """Draw the first ``number`` validation scenes with at least ``fewest`` digits: chosen by count, not by result.

    Args:
        path: File to write.
        scenes: The data set.
        detectors: Title, stock MMDetection config and checkpoint of each.
        number: Number of scenes.
        fewest: Smallest number of digits in a scene. If there are too few such scenes, those with most digits are
            added.
    """
    loaded = {title: Detector(cfg, checkpoint, 'cpu') for title, cfg, checkpoint in detectors}
    photos = CocoPhotos(scenes.val_ann, scenes.val_images, next(iter(loaded.values())).classes)
    chosen = sorted(photos.photos, key=lambda photo: (-min(len(photo.boxes), fewest), photo.key))[:number]
    draw_photos(chosen, photos.classes, loaded, path)
