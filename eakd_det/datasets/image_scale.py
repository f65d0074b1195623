"""The size of photos in training: the option ``image_scale``, and a remark where objects are too small to learn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median
from typing import Any

from mmengine.config import Config

from eakd_det.datasets.coco_file import AnnotationSummary
from eakd_det.datasets.dataset_configs import datasets_of
from eakd_det.errors import ConfigError

OPTIONS = ('image_scale',)
SMALL_SIDE = 12.0  # pixels: three cells of the finest level of FPN
_CLEAR_SIDE = 16.0  # the smallest anchor of the small detectors
_LARGEST_FACTOR = 4.0
_SIZES = ('scale', 'scales', 'img_scale', 'crop_size', 'size')
_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def scale_images(cfg: Config) -> None:
    """Multiply all sizes of images in the pipelines of ``cfg`` by its ``image_scale`` and remove that key, in place.

    These are the lengths in pixels of transforms that resize, crop or pad. The time of a step grows with the square.

    Raises:
        ConfigError: If ``image_scale`` is not a positive number, or no pipeline has a size.

    Example:
        >>> resize = dict(type='Resize', scale=(200, 150), keep_ratio=True)
        >>> dataset = dict(type='CocoDataset', pipeline=[resize])
        >>> cfg = Config(dict(image_scale=2, train_dataloader=dict(dataset=dataset)))
        >>> scale_images(cfg)
        >>> cfg.train_dataloader.dataset.pipeline[0].scale
        (400, 300)
    """
    factor = cfg.pop('image_scale', None)
    if factor is None:
        return
    if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not 0 < factor < math.inf:
        raise ConfigError(f'image_scale: expected a positive number such as 2, but got {factor!r}')
    seen: set[int] = set()  # loaders may share a pipeline
    for transform in _transforms(cfg):
        if id(transform) not in seen:
            seen.add(id(transform))
            transform.update({key: _scaled(transform[key], factor) for key in _SIZES if key in transform})
    if not any(key in transform for transform in _transforms(cfg) for key in _SIZES):
        raise ConfigError(
            f'image_scale: expected a transform with one of {", ".join(_SIZES)} in the pipelines, but found none'
        )


def remark_on_size(summary: AnnotationSummary, dataset: dict[str, Any]) -> list[str]:
    """Describe a data set with objects that are small after its resize, if larger photos would help.

    Args:
        summary: Summary of the annotation file.
        dataset: Config of the data set, whose first transform with a single ``scale`` counts.
    """
    scale = next((found for step in dataset.get('pipeline') or () if (found := _pair(step.get('scale')))), None)
    sides = [(side, size) for side, size in zip(summary.sides, summary.sizes, strict=False) if side]
    if scale is None or not sides:
        return []
    zooms = [min(max(scale) / max(size), min(scale) / min(size)) for _, size in sides]
    seen = median(side * zoom for (side, _), zoom in zip(sides, zooms, strict=True))
    limit = min(1 / median(zooms), _LARGEST_FACTOR)  # beyond its own size, a photo has no more to show
    factor = math.floor(2 * min(_CLEAR_SIDE / seen, limit)) / 2
    if seen >= SMALL_SIDE or factor < 1.5:
        return []
    return [
        f'has small objects: after the resize to {scale[0]} x {scale[1]}, the boxes of half of the images are at most '
        f'{seen:.0f} pixels wide and high. image_scale={factor:g} reads all photos {factor:g} times as large, '
        f'which takes {factor**2:.2g} times as long'
    ]


def _transforms(cfg: Config) -> Iterator[dict[str, Any]]:
    for loader in _LOADERS:
        node = cfg.get(loader) or {}
        for _, dataset in datasets_of(node, loader):
            yield from dataset.get('pipeline') or ()
        yield from (node.get('dataset') or {}).get('pipeline') or ()  # of a wrapper, such as MultiImageMixDataset
    for hook in cfg.get('custom_hooks') or ():
        yield from hook.get('switch_pipeline') or ()


def _scaled(value: Any, factor: float) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_scaled(item, factor) for item in value)
    in_pixels = isinstance(value, (int, float)) and value > 1  # smaller ones are shares of an image
    return round(value * factor) if in_pixels else value


def _pair(scale: Any) -> tuple[float, float] | None:
    is_pair = isinstance(scale, (list, tuple)) and len(scale) == 2
    return (scale[0], scale[1]) if is_pair and all(isinstance(side, (int, float)) for side in scale) else None
