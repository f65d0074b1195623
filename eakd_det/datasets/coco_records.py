"""Check the three lists of records in a COCO annotation file: categories, images, annotations.

Error messages are verb phrases; the caller prepends key and file.
"""

from __future__ import annotations

import reprlib
from collections.abc import Hashable
from typing import Any

from eakd_det.datasets.json_records import (
    count_suffix,
    is_box,
    is_finite,
    is_in,
    is_size,
    require_fields,
    require_ids,
    require_unique,
    type_name,
)
from eakd_det.errors import ConfigError


def read_categories(data: dict[str, Any]) -> dict[Hashable, str]:
    """Return the names of the categories by id, in the order of the file; raise ConfigError for invalid ones."""
    records = _records(data, 'categories')
    require_fields(records, ('id', 'name'), 'categories')
    require_ids((record['id'] for record in records), 'category ids')
    require_unique((record['id'] for record in records), 'category ids')
    names = [record['name'] for record in records]
    unnamed = [name for name in names if not isinstance(name, str) or not name]
    if unnamed:  # MMDetection compares them with the classes without conversion
        raise ConfigError(f'has category names that are not strings: {reprlib.repr(unnamed[0])}{count_suffix(unnamed)}')
    require_unique(names, 'category names')
    return dict(zip((record['id'] for record in records), names, strict=True))


def read_images(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the images; raise ConfigError for invalid ones."""
    images = _records(data, 'images')
    require_fields(images, ('id', 'file_name', 'width', 'height'), 'images')
    require_ids((image['id'] for image in images), 'image ids')
    require_unique((image['id'] for image in images), 'image ids')
    wrong = [image for image in images if not (is_size(image['width']) and is_size(image['height']))]
    if wrong:
        size = (wrong[0]['width'], wrong[0]['height'])
        raise ConfigError(
            f'has width and height {size} for image {wrong[0]["id"]!r}; expected > 0{count_suffix(wrong)}'
        )
    wrong = [image for image in images if not isinstance(image['file_name'], str) or not image['file_name']]
    if wrong:
        name = wrong[0]['file_name']
        raise ConfigError(f'has file_name {name!r} for image {wrong[0]["id"]!r}; expected a path{count_suffix(wrong)}')
    return images


def read_annotations(
    data: dict[str, Any], images: list[dict[str, Any]], categories: dict[Hashable, str]
) -> list[dict[str, Any]]:
    """Return the annotations; raise ConfigError for invalid ones."""
    annotations = _records(data, 'annotations')
    require_fields(annotations, ('id', 'image_id', 'category_id', 'bbox', 'area'), 'annotations')
    require_ids((annotation['id'] for annotation in annotations), 'annotation ids')
    require_unique((annotation['id'] for annotation in annotations), 'annotation ids')
    image_ids = {image['id'] for image in images}
    for field, kind, known in (('image_id', 'image', image_ids), ('category_id', 'category', set(categories))):
        lost = [annotation for annotation in annotations if not is_in(annotation[field], known)]
        if lost:
            raise ConfigError(
                f'has annotation {lost[0]["id"]!r} of {kind} {lost[0][field]!r}, which it lacks{count_suffix(lost)}'
            )
    wrong = [annotation for annotation in annotations if not is_box(annotation['bbox'])]
    if wrong:
        raise ConfigError(
            f'has bbox {reprlib.repr(wrong[0]["bbox"])} for annotation {wrong[0]["id"]!r}; '
            f'expected [x, y, width, height], all finite, with width and height >= 0{count_suffix(wrong)}'
        )
    wrong = [annotation for annotation in annotations if not is_finite(annotation['area'])]
    if wrong:
        area = reprlib.repr(wrong[0]['area'])
        raise ConfigError(f'has area {area} for annotation {wrong[0]["id"]!r}; expected a number{count_suffix(wrong)}')
    wrong = [annotation for annotation in annotations if annotation.get('iscrowd', 0) not in (0, 1)]
    if wrong:
        value = reprlib.repr(wrong[0]['iscrowd'])
        raise ConfigError(
            f'has iscrowd {value} for annotation {wrong[0]["id"]!r}; expected 0 or 1{count_suffix(wrong)}'
        )
    return annotations


def _records(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    records = data.get(name)
    if not isinstance(records, list):
        raise ConfigError(f'is not a COCO annotation file: expected a list of {name}, but got {type_name(records)}')
    if not records:
        raise ConfigError(f'has no {name}')
    wrong = [record for record in records if not isinstance(record, dict)]
    if wrong:
        raise ConfigError(f'has {type_name(wrong[0])} among its {name}; expected dicts only{count_suffix(wrong)}')
    return records
