"""Check COCO annotation files before MMDetection reads them.

Some faults make MMDetection fail with an unrelated message, others pass unnoticed: it numbers labels in the order of
the file's categories, whatever the order of ``classes``, and drops boxes that it cannot use.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from mmengine.logging import print_log

from eakd_det.arguments import did_you_mean
from eakd_det.datasets.coco_file import AnnotationSummary, read_annotation_summary
from eakd_det.datasets.json_records import quote_names
from eakd_det.errors import ConfigError

_logged: set[tuple[str, str]] = set()
Usage = Literal['train', 'evaluate', 'predict']


def check_coco_annotations(
    path: str | Path, classes: Sequence[str] | None, key: str, usage: Usage = 'train'
) -> AnnotationSummary:
    """Check format, ids and boxes of a COCO detection file.

    The result is cached until the file changes.

    Args:
        path: The JSON file.
        classes: The class names of the config, in order; None skips the comparison.
        key: The config key that names the file, for messages.
        usage: 'train' requires images and boxes; 'evaluate' also the fields that pycocotools reads (``iscrowd``);
            'predict' requires images and categories only.

    Raises:
        ConfigError: If the file cannot be used; names key, file, the first faulty entry and their number.
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
    """Require that all annotation files list ``classes`` in the same order.

    Args:
        files: Config key and path of each file.
        classes: The class names of the config.

    Raises:
        ConfigError: If two files differ; names both.
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
                f'({", ".join(first)} and {", ".join(order)}), but MMDetection numbers labels in the '
                'order of the file; reorder the categories of one of them'
            )


def remarks_on_use(summary: AnnotationSummary, classes: Sequence[str] | None) -> list[str]:
    """Describe possible mistakes in the choice of classes: unused categories, many images without the classes.

    Args:
        summary: Summary of the annotation file.
        classes: Names of the classes to train; None stands for all categories.
    """
    chosen = set(summary.categories if classes is None else classes)
    left_out = {name: count for name, count in summary.counts.items() if name not in chosen and count}
    remarks = []
    if left_out:
        boxes = sum(left_out.values())
        remarks.append(
            f'has categories that are not among the classes: {quote_names(list(left_out))}; {boxes} of '
            f'{summary.num_annotations} boxes belong to them and count as background'
        )
    empty = sum(not (names & chosen) for names in summary.used)
    if empty > len(summary.used) / 2:
        remarks.append(
            f'has no box of the classes in {empty} of its {len(summary.used)} images, which MMDetection drops '
            '(filter_cfg.filter_empty_gt)'
        )
    return remarks


def log_remarks(where: str, remarks: Sequence[str]) -> None:
    """Log each remark once per process, as a warning prefixed with ``where``."""
    for remark in remarks:
        if (where, remark) not in _logged:
            _logged.add((where, remark))
            print_log(f'{where} {remark}'.rstrip(), logger='current', level=logging.WARNING)


def _require_file(path: Path, key: str) -> None:
    if not path.is_file():
        problem = 'is a folder' if path.is_dir() else 'does not exist'
        base = '' if path.is_absolute() else f' (relative to {Path.cwd()})'
        raise ConfigError(f'{key}: expected a COCO annotation file, but {path} {problem}{base}')
    if path.stat().st_size == 0:
        raise ConfigError(f'{key}: expected a COCO annotation file, but {path} is empty')


def _check_usable(summary: AnnotationSummary, classes: Sequence[str] | None, usage: Usage) -> None:
    fault = summary.fault or (summary.evaluation_fault if usage == 'evaluate' else None)
    if fault:
        raise ConfigError(fault)
    if not any(summary.counts[name] for name in (summary.categories if classes is None else classes)):
        raise ConfigError(
            f"has {summary.num_annotations} annotations, but none of the config's classes {quote_names(classes or ())}"
        )


def _check_classes(names: Sequence[str], classes: Sequence[str]) -> None:
    if isinstance(classes, str) or not all(isinstance(name, str) for name in classes) or not classes:
        raise ConfigError(
            f'cannot be compared with classes: expected a list of names, but got {classes!r} '
            "(a tuple of one name needs a comma: ('cell',))"
        )
    repeated = [name for name in classes if list(classes).count(name) > 1]
    if repeated:
        raise ConfigError(f'cannot be compared with classes, which has {repeated[0]!r} more than once')
    missing = [name for name in classes if name not in names]
    if missing:
        verb = 'is' if len(missing) == 1 else 'are'
        raise ConfigError(
            f'lacks classes of the config: {quote_names(missing)} {verb} not among its categories {quote_names(names)}'
            f'{did_you_mean(missing[0], names)}'
        )
    in_file_order = tuple(name for name in names if name in set(classes))
    if in_file_order != tuple(classes):
        raise ConfigError(
            'lists its categories in another order than classes in the config, but MMDetection numbers labels in the '
            f"file's order: expected classes={in_file_order}, but got {tuple(classes)}"
        )
