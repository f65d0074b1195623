"""Folders in the layouts of YOLO and Pascal VOC as COCO files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from eakd_det.datasets.coco_layouts import coco_options
from eakd_det.datasets.foreign_layouts import Annotated, globox_module, read_voc, read_yolo, yolo_file
from eakd_det.errors import ConfigError
from eakd_det.files import write_json

Layout = Literal['coco', 'yolo', 'voc']


@dataclass(frozen=True)
class Converted:
    """A data set as data options of a config (:func:`eakd_det.datasets.apply_data_options`).

    Attributes:
        options: ``data_root``, and where the files are not at their usual places ``train_ann``, ``val_ann``,
            ``train_images`` and ``val_images``.
        remark: What to tell the user; empty if there is nothing.
    """

    options: Mapping[str, str]
    remark: str = ''


def layout_of(folder: Path) -> Layout:
    """Return the layout of a folder: ``Annotations/*.xml`` is VOC's, a YAML file with ``names`` YOLO's, else COCO's."""
    if next((folder / 'Annotations').glob('*.xml'), None) is not None:
        return 'voc'
    return 'coco' if yolo_file(folder) is None else 'yolo'


def as_coco(folder: Path, target: Path) -> Converted:
    """Return a data folder in COCO format, converted into ``target`` if it has another layout. Photos are not copied.

    Args:
        folder: The data: COCO as in docs/custom_data.md or :func:`coco_options`; YOLO with ``data.yaml`` (``names``,
            ``train``, ``val``) and text files in ``labels`` beside ``images``; or VOC with ``Annotations``,
            ``JPEGImages`` and lists in ``ImageSets/Main``. A VOC folder without lists is split: every fifth photo, in
            the order of a hash of its name, is for validation.
        target: Folder for the COCO files.

    Raises:
        ConfigError: If globox is not installed, or files are missing or cannot be read.
    """
    layout = layout_of(folder)
    if layout == 'coco':
        return Converted({'data_root': str(folder), **coco_options(folder)})
    sets, names, remark = read_yolo(folder) if layout == 'yolo' else read_voc(folder)
    options = {'data_root': str(target)}
    for split, photos in sets.items():
        if not photos:
            raise ConfigError(f'data: expected photos for {split} in {folder}, but found none')
        common = Path(os.path.commonpath([photo.parent for photo, _ in photos]))
        write_json(target / f'instances_{split}.json', _content(photos, common, names))
        options[f'{split}_images'] = f'{common.resolve()}/'
    return Converted(options, remark)


def _content(annotations: Annotated, root: Path, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the content of a COCO file; ``names`` are the class names by the label in the annotations."""
    globox = globox_module()
    unknown = sorted({box.label for _, item in annotations for box in item.boxes} - set(names))
    if unknown:
        raise ConfigError(f'data: expected labels of the classes {", ".join(names)}, but some boxes have {unknown[0]}')
    renamed = [
        globox.Annotation(photo.relative_to(root).as_posix(), item.image_size, item.boxes)
        for photo, item in annotations
    ]
    numbers = {name: index for index, name in enumerate(names, start=1)}
    images = {item.image_id: index for index, item in enumerate(renamed, start=1)}
    content: dict[str, Any] = globox.AnnotationSet(renamed).to_coco(label_to_id=numbers, imageid_to_id=images)
    for category in content['categories']:
        category['name'] = names[category['name']]
    for item in content['annotations']:
        item['bbox'], item['id'] = list(item['bbox']), item['id'] + 1
    return content
