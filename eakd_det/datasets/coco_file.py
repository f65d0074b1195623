"""Read and summarise COCO annotation files.

Error messages are verb phrases; the caller prepends key and file.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from eakd_det.datasets.coco_json import read_coco_json
from eakd_det.datasets.coco_records import read_annotations, read_categories, read_images
from eakd_det.datasets.json_records import count_suffix, has_extent_in, require_fields
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
        sides: Median side of the usable boxes in each image, in pixels of the file: the root of the area. None without.
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
    sides: tuple[float | None, ...] = ()
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
    categories = read_categories(data)
    images = read_images(data)
    names = tuple(image['file_name'] for image in images)
    counts = dict.fromkeys(categories.values(), 0)
    try:
        annotations = read_annotations(data, images, categories)
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
        sides=_sides(annotations, unused, images),
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


def _sides(
    annotations: list[dict[str, Any]], unused: list[dict[str, Any]], images: list[dict[str, Any]]
) -> tuple[float | None, ...]:
    left_out = {id(annotation) for annotation in unused}
    sides: dict[Hashable, list[float]] = {image['id']: [] for image in images}
    for annotation in annotations:
        if id(annotation) not in left_out and not annotation.get('iscrowd'):
            _, _, width, height = annotation['bbox']
            sides[annotation['image_id']].append((width * height) ** 0.5)
    return tuple(median(found) if found else None for found in sides.values())


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
