"""Check the data of a config before a model is built: annotation files, image folders, class names and their number."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from eakd_det.cli.failures import process_rank
from eakd_det.datasets.annotations import (
    Usage,
    check_coco_annotations,
    log_remarks,
    remarks_on_use,
    require_one_order,
)
from eakd_det.datasets.coco_file import AnnotationSummary, read_annotation_summary
from eakd_det.datasets.dataset_configs import (
    annotation_path,
    class_names,
    datasets_of,
    evaluators_of,
    follows_exif,
    image_folder,
    local_coco_datasets,
)
from eakd_det.datasets.image_files import check_images, describe_faults, spread_sample
from eakd_det.datasets.image_scale import remark_on_size
from eakd_det.errors import ConfigError

_SAMPLE = 32
_USAGES: dict[str, Usage] = {'train_dataloader': 'train', 'val_dataloader': 'evaluate', 'test_dataloader': 'evaluate'}


def check_data(cfg: Config, loaders: Sequence[str]) -> None:
    """Check all COCO data sets of ``loaders`` (such as 'train_dataloader') and their evaluators.

    In a distributed run the first process checks for all. Other kinds of data sets, and files that are not local,
    are left to MMDetection.

    Raises:
        ConfigError: If the data cannot be used; the message has the key and the file.
    """
    if process_rank() != 0:
        return
    _check_order(cfg, loaders)
    for loader in loaders:
        for key, dataset in local_coco_datasets(cfg, loader):
            _check_dataset(cfg, key, dataset, _usage(cfg, loader))
        evaluator_key = f'{loader.removesuffix("dataloader")}evaluator'
        for evaluator in evaluators_of(cfg, evaluator_key):
            _check_evaluator(cfg, loader, evaluator, f'{evaluator_key}.ann_file')
    if 'train_dataloader' in loaders:
        _check_overlap(cfg, loaders)


def _usage(cfg: Config, loader: str) -> Usage:
    evaluator = cfg.get(f'{loader.removesuffix("dataloader")}evaluator')
    if isinstance(evaluator, dict) and evaluator.get('format_only'):
        return 'predict'  # a test set without public annotations
    return _USAGES[loader]


def _check_dataset(cfg: Config, key: str, dataset: dict[str, Any], usage: Usage) -> None:
    if not dataset.get('ann_file'):
        raise ConfigError(f'{key}.ann_file: expected a COCO annotation file, but got {dataset.get("ann_file")!r}')
    annotations = annotation_path(dataset)
    classes = class_names(dataset)
    summary = check_coco_annotations(annotations, classes, f'{key}.ann_file', usage)
    folder = image_folder(dataset)
    _check_images(folder, summary.file_names, f'{key}.data_prefix.img', annotations)
    _check_sample(folder, summary, dataset, key)
    if usage == 'train':
        _check_masks(cfg, key, dataset, summary)
        remarks = remarks_on_use(summary, classes) + remark_on_size(summary, dataset)
        log_remarks(f'{key}.ann_file: {annotations}', remarks)
    if classes is not None:
        _check_box_heads(cfg, len(classes), key)


def _check_sample(folder: Path, summary: AnnotationSummary, dataset: dict[str, Any], key: str) -> None:
    """Open some of the images; ``tools/check_data.py`` opens all."""
    sizes = {folder / name: size for name, size in zip(summary.file_names, summary.sizes, strict=False)}
    sample = spread_sample(sizes, _SAMPLE)
    for found in check_images({path: sizes[path] for path in sample}, follows_exif(dataset)).values():
        line = f'{key}.data_prefix.img: {describe_faults(found, len(sample))}'
        if found[0][1].is_fatal:
            raise ConfigError(f'{line}; this is a sample, python tools/check_data.py checks all images')
        log_remarks(line, [''])


def _check_order(cfg: Config, loaders: Sequence[str]) -> None:
    """Require one order of the classes in all files: no ``classes`` of the config would fit two orders."""
    files: dict[tuple[str, ...], list[tuple[str, Path]]] = defaultdict(list)
    for loader in loaders:
        for key, dataset in local_coco_datasets(cfg, loader):
            path = Path(dataset.get('data_root') or '') / str(dataset.get('ann_file') or '')
            classes = class_names(dataset)
            if isinstance(classes, tuple) and path.is_file():
                check_coco_annotations(path, None, f'{key}.ann_file', 'predict')
                files[classes].append((f'{key}.ann_file', path))
    for classes, several in files.items():
        require_one_order(several, classes)


def _check_overlap(cfg: Config, loaders: Sequence[str]) -> None:
    """Warn about images that are in both training and evaluation data."""
    files: dict[str, set[Path]] = {}
    for loader in loaders:
        files[loader] = set()
        for _, dataset in local_coco_datasets(cfg, loader):
            summary = read_annotation_summary(annotation_path(dataset))
            folder = image_folder(dataset).resolve()
            files[loader] |= {folder / name for name in summary.file_names}
    for loader in loaders:
        shared = sorted(files[loader] & files['train_dataloader']) if loader != 'train_dataloader' else []
        if shared:
            log_remarks(
                f'{loader}: {len(shared)} of {len(files[loader])} images',
                [f'are also in train_dataloader, so the AP is not that of unseen images; the first is {shared[0]}'],
            )


def _check_images(folder: Path, file_names: Sequence[str], key: str, annotations: Path) -> None:
    if not folder.is_dir():
        raise ConfigError(f'{key}: expected the folder of the images in {annotations}, but there is no folder {folder}')
    by_folder: dict[Path, list[str]] = defaultdict(list)
    for name in file_names:
        path = folder / name
        by_folder[path.parent].append(path.name)
    missing: list[Path] = []
    for parent, names in by_folder.items():
        # List each folder once: a query for each file takes minutes on a network drive.
        present = {entry.name for entry in os.scandir(parent) if not entry.is_dir()} if os.path.isdir(parent) else set()
        missing += [parent / name for name in names if name not in present]
    if missing:
        raise ConfigError(
            f'{key}: {len(missing)} of the {len(file_names)} images in {annotations} are not in {folder}; '
            f'the first of them is {missing[0].name}'
        )


def _check_evaluator(cfg: Config, loader: str, evaluator: dict[str, Any], key: str) -> None:
    if 'CocoMetric' not in str(evaluator.get('type')):
        return
    annotations = evaluator.get('ann_file')
    backend = (evaluator.get('backend_args') or {}).get('backend', 'local')
    if not annotations or '://' in annotations or backend != 'local':
        return
    dataset = next((dataset for _, dataset in datasets_of(cfg.get(loader), loader)), {})
    usage: Usage = 'predict' if evaluator.get('format_only') else 'evaluate'
    check_coco_annotations(annotations, class_names(dataset), key, usage)


def _check_box_heads(cfg: Config, count: int, dataset_key: str) -> None:
    for side in ('architecture', 'teacher', None):
        if side == 'teacher' and cfg.model.get('class_map') is not None:
            continue  # it has classes of its own, which the map translates
        detector = cfg.model.get(side) if side else cfg.model
        head = _box_head(detector)
        for key, head_cfg in head:
            found = head_cfg.get('num_classes')
            if found is not None and found != count:
                key = '.'.join(filter(None, ('model', side, key)))
                raise ConfigError(
                    f'{key}.num_classes: expected {count}, the number of classes of {dataset_key}, but got {found}'
                )


def _check_masks(cfg: Config, key: str, dataset: dict[str, Any], summary: AnnotationSummary) -> None:
    student = cfg.model.get('architecture', cfg.model)
    roi_head = student.get('roi_head') if isinstance(student, dict) else None
    if not isinstance(roi_head, dict) or not roi_head.get('mask_head'):
        return
    if summary.without_outline:
        raise ConfigError(
            f'{key}.ann_file: expected outlines (segmentation) to train the mask head with, but '
            f'{summary.without_outline} of {summary.num_annotations} annotations have none; '
            'use a detector without a mask head'
        )
    steps = [step for step in dataset.get('pipeline') or [] if 'LoadAnnotations' in str(step.get('type'))]
    if steps and not any(step.get('with_mask') for step in steps):
        raise ConfigError(
            f'{key}.pipeline: expected LoadAnnotations with with_mask=True, since the student has a mask head '
            '(in an inherited config, take the data of mmdet::_base_/datasets/coco_instance.py)'
        )


def _box_head(detector: Any) -> list[tuple[str, dict[str, Any]]]:
    roi_head = detector.get('roi_head') if isinstance(detector, dict) else None
    head = roi_head.get('bbox_head') if isinstance(roi_head, dict) else None
    if isinstance(head, (list, tuple)):
        return [(f'roi_head.bbox_head.{index}', stage) for index, stage in enumerate(head) if isinstance(stage, dict)]
    return [('roi_head.bbox_head', head)] if isinstance(head, dict) else []
