"""Photos to be labelled: those of a folder that are in no data set of a config."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mmengine.config import Config

from eakd_det.cli.data_checks import image_folder, local_coco_datasets
from eakd_det.datasets.coco_file import read_annotation_summary
from eakd_det.errors import ConfigError

_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')


def choose_photos(cfg: Config, folder: Path) -> list[Path]:
    """Return the photos in ``folder`` that have no labels in the training data of ``cfg``.

    Photos are compared with the images of ``cfg`` by content, whatever their names.

    Raises:
        ConfigError: If there are none, or ``cfg`` validates or tests with some of them.
    """
    if not folder.is_dir():
        raise ConfigError(f'photos: expected a folder of photos, but there is no folder {folder}')
    photos = sorted(path for path in folder.rglob('*') if path.suffix.lower() in _SUFFIXES and path.is_file())
    if not photos:
        raise ConfigError(f'photos: expected images ({", ".join(_SUFFIXES)}) in {folder}, but found none')
    for loader in ('val_dataloader', 'test_dataloader'):
        if shared := _shared(photos, _images(cfg, loader)):
            first = next(iter(shared))
            raise ConfigError(
                f'photos: expected none that {loader} measures with, but {len(shared)} of {len(photos)} are; '
                f'the first is {first} ({shared[first]})'
            )
    labelled = _shared(photos, _images(cfg, 'train_dataloader'))
    if labelled:
        print(f'{len(labelled)} of {len(photos)} photos are in the training data with labels: left out')
    chosen = [path for path in photos if path not in labelled]
    if not chosen:
        raise ConfigError(f'photos: expected photos without labels in {folder}, but all {len(photos)} have labels')
    return chosen


def _images(cfg: Config, loader: str) -> list[Path]:
    return [
        image_folder(dataset) / name
        for _, dataset in local_coco_datasets(cfg, loader)
        for name in read_annotation_summary(
            Path(dataset.get('data_root') or '') / str(dataset.get('ann_file'))
        ).file_names
    ]


def _shared(photos: Iterable[Path], images: Iterable[Path]) -> dict[Path, Path]:
    """Return the photos that have the content of one of ``images``, with that image."""
    by_size: dict[int, list[Path]] = {}
    for image in images:
        if image.is_file():
            by_size.setdefault(image.stat().st_size, []).append(image)
    shared = {}
    for photo in photos:
        candidates = by_size.get(photo.stat().st_size, [])
        content = photo.read_bytes() if candidates else b''
        same = next((image for image in candidates if image.read_bytes() == content), None)
        if same is not None:
            shared[photo] = same
    return shared
