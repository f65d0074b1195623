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
    """Return the photos in ``folder`` that are in no data set of ``cfg``; says which are left out.

    Photos are compared with the images of ``cfg`` by content, whatever their names. Those that ``cfg`` validates or
    tests with would make its AP meaningless; those of the training data have labels.

    Raises:
        ConfigError: If none are left.
    """
    if not folder.is_dir():
        raise ConfigError(f'photos: expected a folder of photos, but there is no folder {folder}')
    photos = sorted(path for path in folder.rglob('*') if path.suffix.lower() in _SUFFIXES and path.is_file())
    if not photos:
        raise ConfigError(f'photos: expected images ({", ".join(_SUFFIXES)}) in {folder}, but found none')
    measured = _shared(photos, [*_images(cfg, 'val_dataloader'), *_images(cfg, 'test_dataloader')])
    if measured:
        first = next(iter(measured))
        print(
            f'Warning: {len(measured)} of {len(photos)} photos are in the validation or test data: left out; '
            f'the first is {first} ({measured[first]})'
        )
    labelled = _shared(photos, _images(cfg, 'train_dataloader'))
    if labelled:
        print(f'{len(labelled)} of {len(photos)} photos are in the training data with labels: left out')
    chosen = [path for path in photos if path not in labelled and path not in measured]
    if not chosen:
        raise ConfigError(
            f'photos: expected photos without labels in {folder}, but all {len(photos)} are in the training, '
            'validation or test data'
        )
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
