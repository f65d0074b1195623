"""Check the data of a config before a model is built: annotation files, image folders, class names and their number."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmdet.datasets import CocoDataset
from mmdet.registry import DATASETS
from mmengine.config import Config
from mmengine.fileio import list_from_file
from mmengine.registry import DefaultScope

from eakd_det.cli.failures import process_rank
from eakd_det.datasets.annotations import Usage, check_coco_annotations
from eakd_det.errors import ConfigError

_USAGES: dict[str, Usage] = {'train_dataloader': 'train', 'val_dataloader': 'evaluate', 'test_dataloader': 'evaluate'}


def check_data(cfg: Config, loaders: Sequence[str]) -> None:
    """Check all COCO data sets of ``loaders`` (such as 'train_dataloader') and their evaluators.

    In a distributed run the first process checks for all. Other kinds of data sets, and files that are not local,
    are left to MMDetection.

    Raises:
        ConfigError: Naming the key and the file.
    """
    if process_rank() != 0:
        return
    for loader in loaders:
        for key, dataset in _datasets(cfg.get(loader), loader):
            if _is_local_coco(dataset):
                _check_dataset(cfg, key, dataset, _usage(cfg, loader))
        evaluator_key = f'{loader.removesuffix("dataloader")}evaluator'
        evaluators = cfg.get(evaluator_key)
        for evaluator in evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]:
            _check_evaluator(cfg, loader, evaluator, f'{evaluator_key}.ann_file')


def class_names(dataset: dict[str, Any]) -> Sequence[str] | None:
    """The class names a data set config results in: its ``metainfo``, else those its class is made for."""
    classes = (dataset.get('metainfo') or {}).get('classes')
    if isinstance(classes, str) and Path(classes).is_file():
        classes = list_from_file(classes)
    if classes is None:
        cls = _dataset_class(dataset)
        classes = None if cls is None else cls.METAINFO.get('classes')
    return classes if classes is None or isinstance(classes, str) else tuple(classes)


def _datasets(node: Any, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every data set of a data loader's config with its key, inside whatever wraps it (RepeatDataset, ...)."""
    if not isinstance(node, dict):
        return
    if 'dataset' in node:
        yield from _datasets(node['dataset'], f'{key}.dataset')
    elif node.get('datasets'):
        for index, dataset in enumerate(node['datasets']):
            yield from _datasets(dataset, f'{key}.datasets.{index}')
    else:
        yield key, node


def _dataset_class(dataset: dict[str, Any]) -> Any:
    with DefaultScope.overwrite_default_scope('mmdet'):
        kind = dataset.get('type')
        return DATASETS.get(kind) if isinstance(kind, str) else kind


def _is_local_coco(dataset: dict[str, Any]) -> bool:
    cls = _dataset_class(dataset)
    reads_like_coco = isinstance(cls, type) and getattr(cls, 'load_data_list', None) is CocoDataset.load_data_list
    is_remote = any('://' in str(dataset.get(name) or '') for name in ('ann_file', 'data_root'))
    backend = (dataset.get('backend_args') or {}).get('backend', 'local')
    return reads_like_coco and not is_remote and backend == 'local'


def _usage(cfg: Config, loader: str) -> Usage:
    evaluator = cfg.get(f'{loader.removesuffix("dataloader")}evaluator')
    if isinstance(evaluator, dict) and evaluator.get('format_only'):
        return 'predict'  # a test set whose annotations are kept by others
    return _USAGES[loader]


def _check_dataset(cfg: Config, key: str, dataset: dict[str, Any], usage: Usage) -> None:
    root = Path(dataset.get('data_root') or '')
    if not dataset.get('ann_file'):
        raise ConfigError(f'{key}.ann_file: expected a COCO annotation file, but got {dataset.get("ann_file")!r}')
    annotations = root / dataset['ann_file']
    classes = class_names(dataset)
    summary = check_coco_annotations(annotations, classes, f'{key}.ann_file', usage)
    prefix = (dataset.get('data_prefix') or {}).get('img') or ''
    _check_images(root / prefix, summary.file_names, f'{key}.data_prefix.img', annotations)
    if classes is not None:
        _check_box_heads(cfg, len(classes), key)


def _check_images(folder: Path, file_names: Sequence[str], key: str, annotations: Path) -> None:
    if not folder.is_dir():
        raise ConfigError(f'{key}: expected the folder of the images in {annotations}, but there is no folder {folder}')
    by_folder: dict[Path, list[str]] = defaultdict(list)
    for name in file_names:
        path = folder / name
        by_folder[path.parent].append(path.name)
    missing: list[Path] = []
    for parent, names in by_folder.items():
        # One listing a folder: asking for every file by itself takes minutes on a network drive.
        present = {entry.name for entry in os.scandir(parent) if not entry.is_dir()} if os.path.isdir(parent) else set()
        missing += [parent / name for name in names if name not in present]
    if missing:
        raise ConfigError(
            f'{key}: {len(missing)} of the {len(file_names)} images in {annotations} are not in {folder}; '
            f'the first of them is {missing[0].name}'
        )


def _check_evaluator(cfg: Config, loader: str, evaluator: Any, key: str) -> None:
    if not isinstance(evaluator, dict) or 'CocoMetric' not in str(evaluator.get('type')):
        return
    annotations = evaluator.get('ann_file')
    backend = (evaluator.get('backend_args') or {}).get('backend', 'local')
    if not annotations or '://' in annotations or backend != 'local':
        return
    dataset = next((dataset for _, dataset in _datasets(cfg.get(loader), loader)), {})
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


def _box_head(detector: Any) -> list[tuple[str, dict[str, Any]]]:
    roi_head = detector.get('roi_head') if isinstance(detector, dict) else None
    head = roi_head.get('bbox_head') if isinstance(roi_head, dict) else None
    if isinstance(head, (list, tuple)):
        return [(f'roi_head.bbox_head.{index}', stage) for index, stage in enumerate(head) if isinstance(stage, dict)]
    return [('roi_head.bbox_head', head)] if isinstance(head, dict) else []
