"""The demo's picture: detections of each detector on the first crowded validation scenes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from mmdet.apis import inference_detector
from mmengine.config import Config
from mmengine.structures import InstanceData
from pycocotools.coco import COCO

from eakd_det.lab.demo.detections import DetectedScene, side_by_side
from eakd_det.lab.scenes import DigitScenes
from eakd_det.zoo import build_detector


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
    coco = COCO(str(scenes.val_ann))
    counts = {image: len(coco.getAnnIds(imgIds=image)) for image in sorted(coco.getImgIds())}
    chosen = sorted(counts, key=lambda image: (-min(counts[image], fewest), image))[:number]
    files = [str(scenes.val_images / coco.loadImgs(image)[0]['file_name']) for image in chosen]
    found = {
        title: [sample.pred_instances for sample in inference_detector(build_detector(cfg, checkpoint), files)]
        for title, cfg, checkpoint in detectors
    }
    rows = [
        DetectedScene(_read_rgb(file), _ground_truth(coco, image), {title: found[title][row] for title in found})
        for row, (file, image) in enumerate(zip(files, chosen, strict=True))
    ]
    classes = [category['name'] for category in coco.loadCats(coco.getCatIds())]
    side_by_side(rows, classes, path)


def _read_rgb(file: str) -> np.ndarray:
    return np.asarray(cv2.imread(file))[..., ::-1]


def _ground_truth(coco: COCO, image: int) -> InstanceData:
    items = coco.loadAnns(coco.getAnnIds(imgIds=image))
    boxes = torch.tensor([item['bbox'] for item in items], dtype=torch.float32)
    boxes[:, 2:] += boxes[:, :2]
    labels = {category: label for label, category in enumerate(coco.getCatIds())}
    return InstanceData(bboxes=boxes, labels=torch.tensor([labels[item['category_id']] for item in items]))
