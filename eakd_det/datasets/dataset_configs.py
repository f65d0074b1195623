"""Read configs of data sets and evaluators: keys, class names, files and folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mmdet.datasets import CocoDataset
from mmdet.registry import DATASETS
from mmengine.config import Config
from mmengine.fileio import list_from_file
from mmengine.registry import DefaultScope


def datasets_of(node: Any, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every data set of a data loader's config with its key, also inside wrappers such as RepeatDataset."""
    if not isinstance(node, dict):
        return
    if 'dataset' in node:
        yield from datasets_of(node['dataset'], f'{key}.dataset')
    elif node.get('datasets'):
        for index, dataset in enumerate(node['datasets']):
            yield from datasets_of(dataset, f'{key}.datasets.{index}')
    elif 'type' in node:
        yield key, node


def local_coco_datasets(cfg: Config, loader: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield key and config of every COCO data set of a data loader whose files are local."""
    for key, dataset in datasets_of(cfg.get(loader), loader):
        if _is_local_coco(dataset):
            yield key, dataset


def class_names(dataset: dict[str, Any]) -> Sequence[str] | None:
    """Return the class names of a data set config: those of its ``metainfo``, else the defaults of its class."""
    classes = (dataset.get('metainfo') or {}).get('classes')
    if isinstance(classes, str) and Path(classes).is_file():
        classes = list_from_file(classes)
    if classes is None:
        cls = _dataset_class(dataset)
        classes = None if cls is None else cls.METAINFO.get('classes')
    return classes if classes is None or isinstance(classes, str) else tuple(classes)


def evaluators_of(cfg: Config, key: str) -> list[dict[str, Any]]:
    """Return the configs of one or several evaluators."""
    evaluators = cfg.get(key)
    several = evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]
    return [evaluator for evaluator in several if isinstance(evaluator, dict)]


def annotation_path(dataset: dict[str, Any]) -> Path:
    """Return the annotation file of a data set."""
    return Path(dataset.get('data_root') or '') / (dataset.get('ann_file') or '')


def image_folder(dataset: dict[str, Any]) -> Path:
    """Return the folder that the file names of a data set's images are relative to."""
    return Path(dataset.get('data_root') or '') / ((dataset.get('data_prefix') or {}).get('img') or '')


def follows_exif(dataset: dict[str, Any]) -> bool:
    """Return whether the data set's pipeline rotates photos by their EXIF orientation."""
    loads = [step for step in dataset.get('pipeline') or [] if 'LoadImage' in str(step.get('type'))]
    return not any('ignore_orientation' in str(step.get('color_type')) for step in loads)


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
