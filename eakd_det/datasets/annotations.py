"""Check a COCO annotation file before MMDetection reads it, so that what is wrong is said once and in full.

Some faults stop MMDetection with a message about something else, others do not stop it at all: it numbers labels in
the order of the file's categories, whatever the order of ``classes`` in the config, and leaves out boxes
that it cannot use.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from mmengine.logging import print_log

from eakd_det.datasets.coco_file import AnnotationSummary, read_annotation_summary
from eakd_det.datasets.json_records import shown
from eakd_det.errors import ConfigError

_logged: set[tuple[str, str]] = set()
Usage = Literal['train', 'evaluate', 'predict']


def check_coco_annotations(
    path: str | Path, classes: Sequence[str] | None, key: str, usage: Usage = 'train'
) -> AnnotationSummary:
    """Check a COCO detection file: that it is one, that its ids hold together, that its boxes can be used.

    A file that has not changed is read once only, however often it is asked about.

    Args:
        path: The JSON file.
        classes: The class names of the config, in order; None skips the comparison.
        key: The config key that names the file, for messages.
        usage: 'train' wants images and boxes; 'evaluate' also what pycocotools reads (``iscrowd``); 'predict' is
            content with images and categories.

    Returns:
        The names of its images and categories, and how many boxes there are.

    Raises:
        ConfigError: Naming the key, the file, the first offender and how many there are.
    """
    path = Path(path)
    _require_file(path, key)
    try:
        summary = read_annotation_summary(path)
        if classes is not None:
            _check_classes(summary.categories, classes)
        if usage != 'predict':
            _check_usable(summary, classes, usage)
    except ConfigError as error:
        raise ConfigError(f'{key}: {path} {error}') from error
    remarks = {'train': summary.remarks, 'evaluate': summary.evaluation_remarks, 'predict': ()}[usage]
    log_remarks(f'{key}: {path}', remarks)
    return summary


def require_one_order(files: Sequence[tuple[str, Path]], classes: Sequence[str]) -> None:
    """Refuse annotation files that list ``classes`` in different orders: no order of the config fits them all.

    Args:
        files: The config key of each file, and the file.
        classes: The class names of the config.

    Raises:
        ConfigError: Naming both files.
    """
    orders = [
        (key, path, [name for name in read_annotation_summary(path).categories if name in classes])
        for key, path in files
    ]
    first_key, first_path, first = orders[0]
    for key, path, order in orders[1:]:
        if order != first and set(order) == set(first):
            raise ConfigError(
                f'{first_key}, {key}: {first_path} and {path} list their categories in different orders '
                f'({", ".join(first)} and {", ".join(order)}), and MMDetection numbers labels by the file; '
                'reorder the categories of one of them'
            )


def remarks_on_use(summary: AnnotationSummary, classes: Sequence[str] | None) -> list[str]:
    """Return what may be a mistake in the choice of classes: categories left out, images without any of the classes.

    Args:
        summary: Of the annotation file.
        classes: Names of the classes that are trained; None is all of the file.
    """
    chosen = set(summary.categories if classes is None else classes)
    left_out = {name: count for name, count in summary.counts.items() if name not in chosen and count}
    remarks = []
    if left_out:
        boxes = sum(left_out.values())
        remarks.append(
            f'has categories that are not among the classes: {shown(list(left_out))}; their {boxes} of '
            f'{summary.num_annotations} boxes are trained on as background'
        )
    empty = sum(not (names & chosen) for names in summary.used)
    if empty > len(summary.used) / 2:
        remarks.append(
            f'has no box of the classes on {empty} of its {len(summary.used)} images, which MMDetection leaves out '
            '(filter_cfg.filter_empty_gt)'
        )
    return remarks


def log_remarks(where: str, remarks: Sequence[str]) -> None:
    """Log each remark as a warning that begins with ``where``; none twice in a process."""
    for remark in remarks:
        if (where, remark) not in _logged:
            _logged.add((where, remark))
            print_log(f'{where} {remark}'.rstrip(), logger='current', level=logging.WARNING)


def _require_file(path: Path, key: str) -> None:
    if not path.is_file():
        what = 'is a folder' if path.is_dir() else 'does not exist'
        seen_from = '' if path.is_absolute() else f' (seen from {Path.cwd()})'
        raise ConfigError(f'{key}: expected a COCO annotation file, but {path} {what}{seen_from}')
    if path.stat().st_size == 0:
        raise ConfigError(f'{key}: expected a COCO annotation file, but {path} is empty')


def _check_usable(summary: AnnotationSummary, classes: Sequence[str] | None, usage: Usage) -> None:
    fault = summary.fault or (summary.evaluation_fault if usage == 'evaluate' else None)
    if fault:
        raise ConfigError(fault)
    if not any(summary.counts[name] for name in (summary.categories if classes is None else classes)):
        raise ConfigError(
            f"has {summary.num_annotations} annotations, but none of the config's classes {shown(classes or ())}"
        )


def _check_classes(names: Sequence[str], classes: Sequence[str]) -> None:
    if isinstance(classes, str) or not all(isinstance(name, str) for name in classes) or not classes:
        raise ConfigError(
            f'cannot be compared with classes: expected a list of names, but got {classes!r} '
            "(a tuple of one needs its comma: ('cell',))"
        )
    twice = [name for name in classes if list(classes).count(name) > 1]
    if twice:
        raise ConfigError(f'cannot be compared with classes, which has {twice[0]!r} more than once')
    absent = [name for name in classes if name not in names]
    if absent:
        verb = 'is' if len(absent) == 1 else 'are'
        raise ConfigError(
            f"does not have the config's classes: {shown(absent)} {verb} not among its categories {shown(names)}"
        )
    in_file_order = tuple(name for name in names if name in set(classes))
    if in_file_order != tuple(classes):
        raise ConfigError(
            'lists its categories in another order than classes in the config, and MMDetection numbers labels by the '
            f'file: expected classes={in_file_order}, but got {tuple(classes)}'
        )
