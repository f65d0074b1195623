"""Read and summarise COCO annotation files.

Error messages are verb phrases; the caller prepends key and file.
"""

from __future__ import annotations

import reprlib
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eakd_det.datasets.coco_json import read_coco_json
from eakd_det.datasets.json_records import (
    count_suffix,
    has_extent_in,
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

_FEWEST_OUTSIDE = 3


@dataclass(frozen=True)
class AnnotationSummary:
    """Summary of a COCO annotation file.

    Attributes:
        file_names: ``file_name`` of each image.
        counts: Number of boxes of each category, by name, in the file's order.
        fault: Fault of the annotations that prevents training and evaluation.
        evaluation_fault: Fault that prevents evaluation by pycocotools only.
        remarks: Warnings for training: boxes that MMDetection drops.
        evaluation_remarks: Warnings for evaluation: ids that pycocotools misreads.
        sizes: Width and height of each image.
        used: Names of the categories with usable boxes in each image.
        without_outline: Number of annotations without ``segmentation``, which training of masks requires.
    """

    file_names: tuple[str, ...]
    counts: dict[str, int]
    fault: str | None = None
    evaluation_fault: str | None = None
    remarks: tuple[str, ...] = ()
    evaluation_remarks: tuple[str, ...] = ()
    sizes: tuple[tuple[int, int], ...] = ()
    used: tuple[frozenset[str], ...] = ()
    without_outline: int = 0

    @property
    def categories(self) -> tuple[str, ...]:
        """Names of the categories, in the order of the file and of MMDetection's labels."""
        return tuple(self.counts)

    @property
    def num_annotations(self) -> int:
        """Number of boxes of all categories."""
        return sum(self.counts.values())


_read_before: dict[tuple[str, int, int], AnnotationSummary] = {}


def read_annotation_summary(path: Path) -> AnnotationSummary:
    """Read and summarise a COCO detection file; the result is cached until the file changes.

    Raises:
        ConfigError: If the file is not a COCO file, or its images or categories are inconsistent. Faults of the
            annotations are part of the summary instead, since prediction does not need them.
    """
    status = path.stat()
    version = (str(path.resolve()), status.st_mtime_ns, status.st_size)
    if version not in _read_before:
        _read_before[version] = _summarize(read_coco_json(path))
    return _read_before[version]


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
    unused = _unused(annotations, images)
    if annotations and len(unused) == len(annotations):
        fault = 'has boxes, but none with an area > 0, at least 1 pixel wide and high, and inside its image'
        return AnnotationSummary(names, counts, fault=fault)
    return AnnotationSummary(
        names,
        counts,
        fault=_fault_of_corners(annotations, images),
        sizes=tuple((image['width'], image['height']) for image in images),
        used=_used(annotations, unused, images, categories),
        without_outline=sum('segmentation' not in annotation for annotation in annotations),
        evaluation_fault=_evaluation_fault(annotations),
        remarks=_remarks_on_unused(unused),
        evaluation_remarks=_remarks_on_id_zero(annotations),
    )


def _unused(annotations: list[dict[str, Any]], images: list[dict[str, Any]]) -> list[dict[str, Any]]:
    sizes = {image['id']: (image['width'], image['height']) for image in images}
    return [
        annotation
        for annotation in annotations
        if annotation['area'] <= 0
        or annotation.get('ignore')
        or not has_extent_in(annotation['bbox'], *sizes[annotation['image_id']])
    ]


def _used(
    annotations: list[dict[str, Any]],
    unused: list[dict[str, Any]],
    images: list[dict[str, Any]],
    categories: dict[Hashable, str],
) -> tuple[frozenset[str], ...]:
    left_out = {id(annotation) for annotation in unused}
    names: dict[Hashable, set[str]] = {image['id']: set() for image in images}
    for annotation in annotations:
        if id(annotation) not in left_out and not annotation.get('iscrowd'):
            names[annotation['image_id']].add(categories[annotation['category_id']])
    return tuple(frozenset(found) for found in names.values())


def _fault_of_corners(annotations: list[dict[str, Any]], images: list[dict[str, Any]]) -> str | None:
    """Detect corner boxes [x1, y1, x2, y2]: read as [x, y, width, height], many end outside their image."""
    sizes = {image['id']: (image['width'], image['height']) for image in images}
    outside, corners = [], 0
    for annotation in annotations:
        (x, y, third, fourth), (width, height) = annotation['bbox'], sizes[annotation['image_id']]
        corners += x < third <= width + 1 and y < fourth <= height + 1
        if x + third > width + 1 or y + fourth > height + 1:
            outside.append(annotation)
    if len(outside) < max(_FEWEST_OUTSIDE, len(annotations) // 10) or corners < 0.99 * len(annotations):
        return None
    return (
        'has boxes that look like [x1, y1, x2, y2]; expected [x, y, width, height]. Read that way, '
        f'{len(outside)} of {len(annotations)} end outside their image; the first is annotation {outside[0]["id"]!r}'
    )


def _remarks_on_unused(unused: list[dict[str, Any]]) -> tuple[str, ...]:
    if not unused:
        return ()
    return (
        'has boxes that MMDetection drops because they have no area, are less than 1 pixel wide or high, lie outside '
        f'their image or are marked ignore; the first is annotation {unused[0]["id"]!r}{count_suffix(unused)}',
    )


def _remarks_on_id_zero(annotations: list[dict[str, Any]]) -> tuple[str, ...]:
    if not any(annotation['id'] == 0 for annotation in annotations):
        return ()
    return ('has an annotation with id 0, which pycocotools treats as no match: that object always counts as missed',)


def _evaluation_fault(annotations: list[dict[str, Any]]) -> str | None:
    try:
        require_fields(annotations, ('iscrowd',), 'annotations')
        if any(isinstance(annotation['id'], str) for annotation in annotations):
            raise ConfigError('has annotation ids that are strings; pycocotools requires integers')
    except ConfigError as error:
        return str(error)
    return None


def _categories(data: dict[str, Any]) -> dict[Hashable, str]:
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


def _images(data: dict[str, Any]) -> list[dict[str, Any]]:
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


def _annotations(
    data: dict[str, Any], images: list[dict[str, Any]], categories: dict[Hashable, str]
) -> list[dict[str, Any]]:
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
