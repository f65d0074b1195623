"""Read a COCO annotation file once and keep what matters of it.

The messages of errors are verb phrases, for the caller to put key and file in front.
"""

from __future__ import annotations

import reprlib
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eakd_det.datasets.coco_json import read_coco_json
from eakd_det.datasets.json_records import (
    count_of,
    has_extent_in,
    is_box,
    is_finite,
    is_in,
    is_size,
    kind_of,
    require_fields,
    require_ids,
    require_unique,
)
from eakd_det.errors import ConfigError

_FEWEST_OUTSIDE = 3


@dataclass(frozen=True)
class AnnotationSummary:
    """What a COCO annotation file holds.

    Attributes:
        file_names: ``file_name`` of each image.
        counts: Number of boxes of each category, by name, in the file's order.
        fault: What is wrong with the annotations, so that nothing can be trained on or measured with them.
        evaluation_fault: What more is wrong if pycocotools is to measure with them.
        remarks: What is odd about training with them, and no reason to stop: boxes that MMDetection leaves out.
        evaluation_remarks: What is odd about measuring with them: ids that pycocotools misreads.
        sizes: Width and height of each image.
        used: Names of the categories of which each image has boxes that can be trained on.
        without_outline: Number of annotations without ``segmentation``, which masks are trained on.
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
    """Boxes of two corners pass for [x, y, width, height], but many then end outside of their image."""
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
        'has boxes that look like [x1, y1, x2, y2], where COCO has [x, y, width, height]: so read, '
        f'{len(outside)} of {len(annotations)} end outside of their image; the first is annotation {outside[0]["id"]!r}'
    )


def _remarks_on_unused(unused: list[dict[str, Any]]) -> tuple[str, ...]:
    if not unused:
        return ()
    return (
        f'has boxes that MMDetection leaves out, because they have no area, are less than 1 pixel wide or high, lie '
        f'outside their image or are marked ignore; the first is annotation {unused[0]["id"]!r}{count_of(unused)}',
    )


def _remarks_on_id_zero(annotations: list[dict[str, Any]]) -> tuple[str, ...]:
    if not any(annotation['id'] == 0 for annotation in annotations):
        return ()
    return ('has an annotation with id 0, which pycocotools takes for no match: that object always counts as missed',)


def _evaluation_fault(annotations: list[dict[str, Any]]) -> str | None:
    try:
        require_fields(annotations, ('iscrowd',), 'annotations')
        if any(isinstance(annotation['id'], str) for annotation in annotations):
            raise ConfigError('has annotation ids that are texts; pycocotools evaluates integers only')
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
    if unnamed:  # MMDetection compares them with the classes as they are, and 1 is not '1'
        raise ConfigError(f'has category names that are no texts: {reprlib.repr(unnamed[0])}{count_of(unnamed)}')
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
    require_ids((annotation['id'] for annotation in annotations), 'annotation ids')
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
            f'has bbox {reprlib.repr(wrong[0]["bbox"])} for annotation {wrong[0]["id"]!r}; '
            f'expected [x, y, width, height], all finite, width and height not negative{count_of(wrong)}'
        )
    wrong = [annotation for annotation in annotations if not is_finite(annotation['area'])]
    if wrong:
        area = reprlib.repr(wrong[0]['area'])
        raise ConfigError(f'has area {area} for annotation {wrong[0]["id"]!r}; expected a number{count_of(wrong)}')
    wrong = [annotation for annotation in annotations if annotation.get('iscrowd', 0) not in (0, 1)]
    if wrong:
        value = reprlib.repr(wrong[0]['iscrowd'])
        raise ConfigError(f'has iscrowd {value} for annotation {wrong[0]["id"]!r}; expected 0 or 1{count_of(wrong)}')
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
