"""Draw photos with their annotated boxes, as training reads them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import mmcv
import numpy as np
from matplotlib.figure import Figure
from mmengine.structures import InstanceData

from eakd_det.datasets.coco_json import read_coco_json
from eakd_det.datasets.image_files import spread_sample
from eakd_det.errors import ConfigError
from eakd_det.files import write_atomically
from eakd_det.visualization.boxes import draw_ground_truth

_COLUMNS = 4


def draw_annotated(sets: Sequence[tuple[Path, Path, bool]], number: int, path: Path) -> None:
    """Draw photos of several data sets with their boxes into one picture.

    Args:
        sets: Annotation file and image folder of each data set, and whether images are rotated by their EXIF
            orientation.
        number: Number of annotated photos per data set, spread over the file.
        path: Path of the picture.
    """
    scenes = [scene for annotations, folder, exif in sets for scene in _scenes(annotations, folder, exif, number)]
    if not scenes:
        return
    rows = -(-len(scenes) // _COLUMNS)
    figure = Figure(figsize=(4 * _COLUMNS, 3.4 * rows), dpi=100, layout='constrained')
    panels = figure.subplots(rows, _COLUMNS, squeeze=False).flatten()
    for panel, (title, image, truth, names) in zip(panels, scenes, strict=False):
        draw_ground_truth(panel, image, truth, names)
        panel.set_title(title, fontsize=9)
    for panel in panels[len(scenes) :]:
        panel.set_axis_off()
    content = io.BytesIO()
    figure.savefig(content, format='jpg', pil_kwargs={'quality': 88})
    write_atomically(path, content.getvalue())


def _scenes(
    annotations: Path, folder: Path, exif: bool, number: int
) -> list[tuple[str, np.ndarray, InstanceData, list[str]]]:
    try:
        data = read_coco_json(annotations)
    except ConfigError:
        return []
    names = [str(category['name']) for category in data['categories']]
    labels = {category['id']: label for label, category in enumerate(data['categories'])}
    boxes: dict[Any, list[dict[str, Any]]] = {}
    for annotation in data['annotations']:
        boxes.setdefault(annotation['image_id'], []).append(annotation)
    annotated = {folder / image['file_name']: boxes[image['id']] for image in data['images'] if image['id'] in boxes}
    scenes = []
    for path in spread_sample(annotated, number):
        image = _read(path, exif)
        if image is None:
            continue
        corners = np.array([item['bbox'] for item in annotated[path]], np.float32).reshape(-1, 4)
        corners[:, 2:] += corners[:, :2]
        kinds = np.array([labels[item['category_id']] for item in annotated[path]], np.int64)
        title = f'{annotations.stem}: {path.name}'
        scenes.append((title, image, InstanceData(bboxes=corners, labels=kinds), names))
    return scenes


def _read(path: Path, exif: bool) -> np.ndarray | None:
    try:
        flag = 'color' if exif else 'color_ignore_orientation'
        image: np.ndarray | None = mmcv.imread(str(path), flag=flag, channel_order='rgb')
    except (OSError, cv2.error):  # already reported by the check of the files
        return None
    return image
