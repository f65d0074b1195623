"""Data options at the top level of a config, such as ``data_root`` and ``classes``."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from mmdet.datasets import CocoDataset
from mmengine.config import Config

from eakd_det.datasets.annotations import check_coco_annotations, require_one_order
from eakd_det.datasets.class_names import read_class_names, spell_as_in_file
from eakd_det.datasets.dataset_configs import annotation_path, datasets_of, evaluators_of, image_folder
from eakd_det.datasets.derived_area import derive_areas
from eakd_det.datasets.image_scale import OPTIONS as SCALE_OPTIONS
from eakd_det.datasets.image_scale import scale_images
from eakd_det.datasets.label_mixing import OPTIONS as MIXING_OPTIONS
from eakd_det.datasets.label_mixing import mix_teacher_labels, separate_teacher_labels
from eakd_det.datasets.option_names import check_option_names
from eakd_det.errors import ConfigError
from eakd_det.models.model_config import set_num_classes

Usage = Literal['train', 'test']

_LOADERS = {'train': ('train_dataloader',), 'val': ('val_dataloader', 'test_dataloader')}
_EVALUATORS = {'val_dataloader': 'val_evaluator', 'test_dataloader': 'test_evaluator'}
DATA_OPTIONS = ('classes', 'train_ann', 'val_ann', 'train_images', 'val_images', *MIXING_OPTIONS, *SCALE_OPTIONS)


def apply_data_options(cfg: Config, usage: Usage = 'train') -> Config:
    """Apply the data options at the top level of a config to every data set, evaluator and box head.

    ========================  ==============================================================================
    key                       sets
    ========================  ==============================================================================
    ``data_root``             ``data_root`` of every data set, and ``ann_file`` of every evaluator
    ``train_ann, val_ann``    ``ann_file`` of the training data, and of the validation and test data
    ``train_images, ...``     ``data_prefix.img`` of the same data
    ``classes``               ``metainfo.classes`` of every data set, and ``num_classes`` of every box head; with
                              a ``model.class_map``, of the student's only, and ``model.student_classes``
    ``image_scale``           sizes of images in every pipeline, multiplied by it (``scale_images``)
    ``teacher_labels, ...``   a second training data set, see :func:`eakd_det.datasets.label_mixing.mix_teacher_labels`
    ========================  ==============================================================================

    Omitted keys change nothing. A config with none of the keys, or with ``data_root`` alone, such as MMDetection's, is
    returned unchanged. ``classes=None`` stands for all categories of the training annotation file. With ``classes``,
    annotation files are checked (:func:`eakd_det.datasets.annotations.check_coco_annotations`): MMDetection numbers
    labels in the order of the file's categories and ignores the order of ``classes``, so another order is an error.

    Args:
        cfg: A config with ``--cfg-options`` already merged. It is not changed.
        usage: 'train' requires training and validation data, 'test' validation data only.

    Returns:
        A new config.

    Raises:
        ConfigError: If a folder or file does not exist, or ``classes`` do not fit the annotation files.

    Example:
        >>> cfg = Config(dict(train_images='photos/', train_dataloader=dict(dataset=dict(type='CocoDataset'))))
        >>> apply_data_options(cfg).train_dataloader.dataset.data_prefix
        {'img': 'photos/'}
    """
    cfg = copy.deepcopy(cfg)
    if not any(key in cfg for key in DATA_OPTIONS):
        derive_areas(cfg)
        return cfg
    check_option_names(cfg, ('data_root', *DATA_OPTIONS))
    scale_images(cfg)
    root = _read_root(cfg)
    separate_teacher_labels(cfg)
    for split in _LOADERS:
        _set_files(cfg, split, root)
    if usage == 'train':
        mix_teacher_labels(cfg)
    derive_areas(cfg)
    needed = ('train', 'val') if usage == 'train' else ('val',)
    for split in needed:
        _require_annotation_files(cfg, split)
    if 'classes' in cfg:
        names = _class_names(cfg, needed)
        _set_classes(cfg, names)
        cfg.classes = names
    if root is not None or cfg.get('val_ann') is not None:
        _set_evaluators(cfg)
    return cfg


def move_data_root(cfg: Config, old: Any) -> None:
    """Apply a changed ``data_root`` to the data sets and evaluators below the ``old`` one, in place.

    Without other data options, ``data_root`` is an ordinary variable that the config file has already used.

    Raises:
        ConfigError: If no data set lies below the old folder, so that the change would have no effect.
    """
    if any(key in cfg for key in DATA_OPTIONS):
        return  # left to apply_data_options
    root = _read_root(cfg)
    if root is None or root == old:
        return
    moved = 0
    for split in _LOADERS:
        for dataset in _split_datasets(cfg, split):
            if old is not None and dataset.get('data_root') == old:
                dataset['data_root'] = root
                moved += 1
    for key in _EVALUATORS.values():
        for evaluator in evaluators_of(cfg, key):
            path = evaluator.get('ann_file')
            if old and isinstance(path, str) and path.startswith(old):
                evaluator['ann_file'] = str(Path(root) / path[len(old) :].lstrip('/'))
    if not moved:
        raise ConfigError(
            f'data_root: expected data sets with data_root {old!r}, which it replaces, but found none; set '
            'train_dataloader.dataset.data_root, val_dataloader.dataset.data_root and val_evaluator.ann_file'
        )


def _read_root(cfg: Config) -> str | None:
    root = cfg.get('data_root')
    if root is None:
        return None
    if not isinstance(root, str) or not root:
        raise ConfigError(f'data_root: expected the folder of the data, but got {root!r}')
    if not Path(root).is_dir():
        base = '' if Path(root).is_absolute() else f' (relative to {Path.cwd()})'
        raise ConfigError(f'data_root: expected the folder of the data, but {root} does not exist{base}')
    return root


def _set_files(cfg: Config, split: str, root: str | None) -> None:
    annotations, images = cfg.get(f'{split}_ann'), cfg.get(f'{split}_images')
    for loader in _LOADERS[split]:
        datasets = [dataset for _, dataset in datasets_of(cfg.get(loader), loader)]
        if len(datasets) > 1 and (annotations is not None or images is not None):
            raise ConfigError(
                f'{split}_ann, {split}_images: expected one data set in {loader}, but got {len(datasets)} data sets; '
                'remove these keys and set ann_file and data_prefix in each data set'
            )
        for dataset in datasets:
            if root is not None:
                dataset['data_root'] = root
            if annotations is not None:
                dataset['ann_file'] = annotations
            if images is not None:
                dataset['data_prefix'] = {**(dataset.get('data_prefix') or {}), 'img': images}


def _split_datasets(cfg: Config, split: str) -> Iterator[dict[str, Any]]:
    for loader in _LOADERS[split]:
        yield from (dataset for _, dataset in datasets_of(cfg.get(loader), loader))


def _require_annotation_files(cfg: Config, split: str) -> None:
    for dataset in _split_datasets(cfg, split):
        path = annotation_path(dataset)
        if dataset.get('ann_file') and not path.is_file():
            raise ConfigError(f'{split}_ann: expected a COCO annotation file, but {path} does not exist')


def _class_names(cfg: Config, needed: tuple[str, ...]) -> tuple[str, ...]:
    """Return the class names, checked against all annotation files; those of ``needed`` splits must exist."""
    names = read_class_names(cfg.classes)
    files = {
        (split, path): dataset
        for split in _LOADERS
        for dataset in _split_datasets(cfg, split)
        if (path := annotation_path(dataset)).is_file() or split in needed
    }
    if not files:
        raise ConfigError('classes: expected a data set in train_dataloader or val_dataloader, but got none')
    split, path = next(iter(files))
    categories = check_coco_annotations(path, None, f'{split}_ann', 'predict').categories
    names = categories if names is None else spell_as_in_file(names, categories)
    require_one_order([(f'{split}_ann', path) for split, path in files], names)
    for (split, path), dataset in files.items():
        check_as: Literal['train', 'evaluate', 'predict'] = 'predict'
        if split in needed:
            check_as = 'train' if split == 'train' else 'evaluate'
        summary = check_coco_annotations(path, names, f'{split}_ann', check_as)
        if split in needed:
            _require_first_image(dataset, summary.file_names[0], split)
    return names


def _require_first_image(dataset: dict[str, Any], file_name: str, split: str) -> None:
    path = image_folder(dataset) / file_name
    if not os.path.isfile(path):
        raise ConfigError(
            f'{split}_images: expected the folder of the images in {annotation_path(dataset)}, '
            f'but the first one does not exist: {path}'
        )


def _set_classes(cfg: Config, names: tuple[str, ...]) -> None:
    metainfo: dict[str, Any] = {'classes': names}
    if len(names) > len(CocoDataset.METAINFO['palette']):
        metainfo['palette'] = None  # MMDetection then chooses colours instead of failing
    for split in _LOADERS:
        for dataset in _split_datasets(cfg, split):
            dataset['metainfo'] = {**(dataset.get('metainfo') or {}), **metainfo}
    set_num_classes(cfg.get('model'), len(names))
    if (cfg.get('model') or {}).get('class_map') is not None:
        cfg.model.setdefault('student_classes', names)


def _set_evaluators(cfg: Config) -> None:
    for loader, key in _EVALUATORS.items():
        _, dataset = next(datasets_of(cfg.get(loader), loader), (loader, None))
        for evaluator in evaluators_of(cfg, key):
            if dataset is not None and 'ann_file' in evaluator:
                evaluator['ann_file'] = str(annotation_path(dataset))
