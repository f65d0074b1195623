"""The validation photos of a run with their objects, and AP of any detector on them."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from eakd_det.datasets.dataset_configs import annotation_path, image_folder, local_coco_datasets
from eakd_det.errors import ConfigError
from eakd_det.evaluation import COCO_METRICS
from eakd_det.export.detections import Detections
from eakd_det.export.detector import CallableDetector


@dataclass(frozen=True)
class Photo:
    """A photo with its annotated objects.

    Attributes:
        key: Its id in the annotation file.
        path: The file.
        boxes: ``(N, 4)`` float32: x1, y1, x2, y2 in pixels.
        labels: ``(N,)`` int64, indices of the classes.
    """

    key: Any
    path: Path
    boxes: np.ndarray
    labels: np.ndarray


class CocoPhotos:
    """The photos of a COCO file.

    Attributes:
        photos: All photos, in the order of the file.
        classes: Names of the classes.

    Args:
        annotations: The file.
        folder: The folder of its photos.
        classes: Names of the classes that are detected.
    """

    def __init__(self, annotations: Path, folder: Path, classes: Sequence[str]) -> None:
        self.classes = tuple(classes)
        with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints
            self._coco = COCO(str(annotations))
        for item in self._coco.anns.values():
            item.setdefault('iscrowd', 0)
            item.setdefault('area', item['bbox'][2] * item['bbox'][3])
        self._categories = self._coco.getCatIds(catNms=list(self.classes))
        self.photos = [self._photo(folder, image) for image in self._coco.dataset['images']]

    @classmethod
    def of(cls, cfg: Config, classes: Sequence[str], loader: str = 'val_dataloader') -> CocoPhotos:
        """Return the photos of a data loader of a run's config; of several training sets, the first.

        Raises:
            ConfigError: If it has no local COCO data, or the file is not there any more.
        """
        found = [dataset for _, dataset in local_coco_datasets(cfg, loader)]
        if not found or (len(found) > 1 and loader != 'train_dataloader'):
            raise ConfigError(f'{loader}: expected one data set in COCO format, but got {len(found)}')
        annotations = annotation_path(found[0])
        if not annotations.is_file():
            raise ConfigError(
                f'{loader}.dataset.ann_file: expected the data of the run, but {annotations} does not exist'
            )
        return cls(annotations, image_folder(found[0]), classes)

    def spread(self, number: int) -> list[Photo]:
        """Return ``number`` photos with objects, evenly spread over the file; all if there are fewer."""
        with_objects = [photo for photo in self.photos if len(photo.boxes)] or self.photos
        if len(with_objects) <= number:
            return with_objects
        return [with_objects[index] for index in np.linspace(0, len(with_objects) - 1, number).round().astype(int)]

    def figures(
        self, detector: CallableDetector, progress: Callable[[int, int], None] = lambda done, all_: None
    ) -> dict[str, float | None]:
        """Return AP, AP50, AP75, APs, APm and APl of a detector, as fractions; None where there is no such object.

        Args:
            detector: The detector; its classes must be those of the photos.
            progress: Called after each photo with the numbers of finished photos and of all.
        """
        results: list[dict[str, Any]] = []
        for index, photo in enumerate(self.photos, start=1):
            results += self._results(photo, detector(photo.path))
            progress(index, len(self.photos))
        if not results:
            return {**dict.fromkeys(COCO_METRICS), 'AP': 0.0, 'AP50': 0.0, 'AP75': 0.0}
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation = COCOeval(self._coco, self._coco.loadRes(results), 'bbox')
            evaluation.params.catIds = self._categories
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        stats: Mapping[str, float] = dict(zip(COCO_METRICS, evaluation.stats[:6], strict=True))
        return {name: None if value < 0 else round(float(value), 4) for name, value in stats.items()}

    def _results(self, photo: Photo, found: Detections) -> list[dict[str, Any]]:
        corners = found.boxes.astype(float)
        sizes = corners[:, 2:] - corners[:, :2]
        return [
            dict(image_id=photo.key, bbox=[*corner[:2], *size], score=float(score), category_id=self._categories[label])
            for corner, size, score, label in zip(corners, sizes, found.scores, found.labels, strict=True)
        ]

    def _photo(self, folder: Path, image: dict[str, Any]) -> Photo:
        label_of = {category: label for label, category in enumerate(self._categories)}
        items = [item for item in self._coco.imgToAnns[image['id']] if item['category_id'] in label_of]
        boxes = np.array([item['bbox'] for item in items], np.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        labels = np.array([label_of[item['category_id']] for item in items], np.int64)
        return Photo(image['id'], folder / image['file_name'], boxes, labels)
