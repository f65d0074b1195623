"""Read a COCO annotation file once and keep what matters of it.

The messages of errors are verb phrases, for the caller to put key and file in front.
"""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eakd_det.datasets.json_records import (
    count_of,
    is_box,
    is_finite,
    is_in,
    is_size,
    kind_of,
    require_fields,
    require_unique,
    shown,
)
from eakd_det.errors import ConfigError

_OUTLINE = re.compile(rb'("segmentation"\s*:\s*)\[\[[-+.\d,\seE\[\]]*\]\]')


@dataclass(frozen=True)
class AnnotationSummary:
    """What a COCO annotation file holds.

    Attributes:
        file_names: ``file_name`` of each image.
        counts: Number of boxes of each category, by name, in the file's order.
        fault: What is wrong with the annotations, so that nothing can be trained on or measured with them.
        evaluation_fault: What more is wrong if pycocotools is to measure with them.
    """

    file_names: tuple[str, ...]
    counts: dict[str, int]
    fault: str | None = None
    evaluation_fault: str | None = None

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the categories in the file's order, which is that of MMDetection's labels."""
        return tuple(self.counts)

    @property
    def num_annotations(self) -> int:
        """Boxes of all categories."""
        return sum(self.counts.values())


_read_before: dict[tuple[str, int, int], AnnotationSummary] = {}


def read_annotation_summary(path: Path) -> AnnotationSummary:
    """Read a COCO detection file; one that has not changed since is not read again.

    Raises:
        ConfigError: If it is no COCO file, or its images or categories do not hold together. What is wrong with its
            annotations is left to the summary, since not every use needs them.
    """
    status = path.stat()
    version = (str(path.resolve()), status.st_mtime_ns, status.st_size)
    if version not in _read_before:
        _read_before[version] = _summarize(_parse(path))
    return _read_before[version]


def _parse(path: Path) -> dict[str, Any]:
    try:
        data = _load_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(f'cannot be read ({error.strerror})') from error
    except (ValueError, RecursionError) as error:  # not text, not JSON, or cut off
        raise ConfigError(f'is no valid JSON, or is truncated ({error})') from error
    if not isinstance(data, dict) or 'images' not in data or 'categories' not in data:
        held = f'the keys {shown(sorted(data))}' if isinstance(data, dict) else kind_of(data)
        raise ConfigError(f'is no COCO annotation file: expected images, annotations and categories, but got {held}')
    return data


def _load_json(text: bytes) -> Any:
    """Parse ``text`` without the outlines, which are most of a COCO file and not checked: in half the time.

    The collector is told to wait, since it would search the millions of new objects again and again for nothing.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return json.loads(_OUTLINE.sub(rb'\1[]', text))
    finally:
        if was_enabled:
            gc.enable()


def _summarize(data: dict[str, Any]) -> AnnotationSummary:
    categories = _categories(data)
    images = _images(data)
    names = tuple(image['file_name'] for image in images)
    counts = dict.fromkeys(categories.values(), 0)
    try:
        annotations = _annotations(data, images, categories)
    except ConfigError as error:
        return AnnotationSummary(names, counts, fault=str(error))
    for annotation in annotations:
        counts[categories[annotation['category_id']]] += 1
    try:
        require_fields(annotations, ('iscrowd',), 'annotations')
    except ConfigError as error:
        return AnnotationSummary(names, counts, evaluation_fault=str(error))
    return AnnotationSummary(names, counts)


def _categories(data: dict[str, Any]) -> dict[Hashable, str]:
    records = _records(data, 'categories')
    require_fields(records, ('id', 'name'), 'categories')
    require_unique((record['id'] for record in records), 'category ids')
    names = [str(record['name']) for record in records]
    require_unique(names, 'category names')
    return dict(zip((record['id'] for record in records), names, strict=True))


def _images(data: dict[str, Any]) -> list[dict[str, Any]]:
    images = _records(data, 'images')
    require_fields(images, ('id', 'file_name', 'width', 'height'), 'images')
    require_unique((image['id'] for image in images), 'image ids')
    wrong = [image for image in images if not (is_size(image['width']) and is_size(image['height']))]
    if wrong:
        size = (wrong[0]['width'], wrong[0]['height'])
        raise ConfigError(f'has width and height {size} for image {wrong[0]["id"]!r}; expected > 0{count_of(wrong)}')
    wrong = [image for image in images if not isinstance(image['file_name'], str) or not image['file_name']]
    if wrong:
        name = wrong[0]['file_name']
        raise ConfigError(f'has file_name {name!r} for image {wrong[0]["id"]!r}; expected a path{count_of(wrong)}')
    return images


def _annotations(
    data: dict[str, Any], images: list[dict[str, Any]], categories: dict[Hashable, str]
) -> list[dict[str, Any]]:
    annotations = _records(data, 'annotations')
    require_fields(annotations, ('id', 'image_id', 'category_id', 'bbox', 'area'), 'annotations')
    require_unique((annotation['id'] for annotation in annotations), 'annotation ids')
    image_ids = {image['id'] for image in images}
    for field, what, known in (('image_id', 'image', image_ids), ('category_id', 'category', set(categories))):
        lost = [annotation for annotation in annotations if not is_in(annotation[field], known)]
        if lost:
            raise ConfigError(
                f'has annotation {lost[0]["id"]!r} of {what} {lost[0][field]!r}, which is not in it{count_of(lost)}'
            )
    wrong = [annotation for annotation in annotations if not is_box(annotation['bbox'])]
    if wrong:
        raise ConfigError(
            f'has bbox {wrong[0]["bbox"]!r} for annotation {wrong[0]["id"]!r}; expected [x, y, width, height], '
            f'all finite, width and height not negative{count_of(wrong)}'
        )
    wrong = [annotation for annotation in annotations if not is_finite(annotation['area'])]
    if wrong:
        area = wrong[0]['area']
        raise ConfigError(f'has area {area!r} for annotation {wrong[0]["id"]!r}; expected a number{count_of(wrong)}')
    return annotations


def _records(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    records = data.get(name)
    if not isinstance(records, list):
        raise ConfigError(f'is no COCO annotation file: expected a list of {name}, but got {kind_of(records)}')
    if not records:
        raise ConfigError(f'has no {name}')
    wrong = [record for record in records if not isinstance(record, dict)]
    if wrong:
        raise ConfigError(f'has {kind_of(wrong[0])} among its {name}; expected dicts only{count_of(wrong)}')
    return records
