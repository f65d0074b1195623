"""Annotated photos in the layouts of YOLO and Pascal VOC, read by globox."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from PIL import ExifTags, Image

from eakd_det.errors import ConfigError

_PHOTOS = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
_HELD_OUT = 5  # without lists of its own, every fifth photo of a VOC folder is for validation

Annotated = list[tuple[Path, Any]]
"""Photos with their annotations as globox reads them."""


def yolo_file(folder: Path) -> Path | None:
    """Return the YAML file with the ``names`` of a YOLO folder; None if there is none."""
    for path in sorted([*folder.glob('*.yaml'), *folder.glob('*.yml')]):
        with contextlib.suppress(yaml.YAMLError, UnicodeDecodeError):
            content = yaml.safe_load(path.read_text(encoding='utf-8'))
            if isinstance(content, dict) and 'names' in content:
                return path
    return None


def read_yolo(folder: Path) -> tuple[dict[str, Annotated], dict[str, str], str]:
    """Return a YOLO folder's photos for 'train' and 'val', its class names by label, and a remark.

    Raises:
        ConfigError: If files are missing or cannot be read.
    """
    path = yolo_file(folder)
    content = yaml.safe_load(path.read_text(encoding='utf-8')) if path else {}
    listed = content['names']
    names = dict(enumerate(listed)) if isinstance(listed, list) else {int(key): name for key, name in listed.items()}
    absent = [split for split in ('train', 'val') if not content.get(split)]
    if absent:
        raise ConfigError(f'data: expected train and val in {path}, but it has no {absent[0]}')
    root = folder / str(content.get('path') or '')
    root = root if root.is_dir() else folder
    sets = {
        split: [_read_yolo(photo) for photo in _yolo_photos(root, folder, content[split], split)]
        for split in ('train', 'val')
    }
    return sets, {str(key): str(name) for key, name in names.items()}, ''


def _yolo_photos(root: Path, folder: Path, listed: Any, split: str) -> list[Path]:
    """Return the photos of one or several folders, or of a text file with a photo in each line."""
    found: list[Path] = []
    for entry in listed if isinstance(listed, list) else [listed]:
        # Roboflow writes ../train for a folder beside the file.
        choices = [root / str(entry), folder / str(entry), folder / str(entry).removeprefix('../')]
        place = next((choice for choice in choices if choice.exists()), None)
        if place is None:
            raise ConfigError(f'data: expected the photos of {split} in {root / str(entry)}, but it does not exist')
        if place.is_file():
            lines = place.read_text(encoding='utf-8').split('\n')
            found += [place.parent / line.strip() for line in lines if line.strip()]
        else:
            found += [path for path in sorted(place.rglob('*')) if path.suffix.lower() in _PHOTOS]
    return found


def _read_yolo(photo: Path) -> tuple[Path, Any]:
    globox = globox_module()
    size = _size(photo)
    parts = list(photo.parts)
    if 'images' in parts:
        parts[len(parts) - 1 - parts[::-1].index('images')] = 'labels'
    labels = Path(*parts).with_suffix('.txt')
    if not labels.is_file():  # a photo without objects
        return photo, globox.Annotation(photo.name, size, [])
    with _reading(labels):
        return photo, globox.Annotation.from_yolo_v5(labels, image_size=size, image_id=photo.name)


def read_voc(folder: Path) -> tuple[dict[str, Annotated], dict[str, str], str]:
    """Return the same of a VOC folder, whose labels are the names; the remark says if it had to be split.

    Raises:
        ConfigError: If files are missing or cannot be read.
    """
    files = {path.stem: path for path in sorted((folder / 'Annotations').glob('*.xml'))}
    lists = {split: folder / 'ImageSets' / 'Main' / f'{split}.txt' for split in ('train', 'val')}
    remark = ''
    if all(path.is_file() for path in lists.values()):
        chosen = {
            split: [line.split()[0] for line in path.read_text().split('\n') if line.split()]
            for split, path in lists.items()
        }
    else:
        shuffled = sorted(files, key=lambda name: sha256(name.encode()).hexdigest())
        chosen = {
            'train': [name for index, name in enumerate(shuffled) if index % _HELD_OUT],
            'val': shuffled[::_HELD_OUT],
        }
        remark = f'{folder} has no ImageSets/Main/train.txt and val.txt: every fifth photo is for validation'
    unknown = next((name for names in chosen.values() for name in names if name not in files), None)
    if unknown is not None:
        raise ConfigError(
            f'data: expected {folder / "Annotations" / unknown}.xml, which a list names, but it does not exist'
        )
    sets = {split: [_read_voc(folder, files[name]) for name in names] for split, names in chosen.items()}
    labels = sorted({box.label for annotations in sets.values() for _, item in annotations for box in item.boxes})
    return sets, {name: name for name in labels}, remark


def _read_voc(folder: Path, path: Path) -> tuple[Path, Any]:
    with _reading(path):
        annotation = globox_module().Annotation.from_pascal_voc(path)
    for place in (folder / 'JPEGImages', folder / 'images', folder):
        for name in (annotation.image_id, *(f'{path.stem}{ending}' for ending in _PHOTOS)):
            if (place / name).is_file():
                return place / name, annotation
    raise ConfigError(f'data: expected the photo of {path} in {folder / "JPEGImages"}, but found none')


def _size(photo: Path) -> tuple[int, int]:
    try:
        with Image.open(photo) as image:
            width, height = image.size
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
    except OSError as error:
        raise ConfigError(f'data: expected a photo, but {photo} cannot be read as one') from error
    return (height, width) if turned else (width, height)


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError, AssertionError, globox_module().errors.ParsingError) as error:
        raise ConfigError(f'data: {path} cannot be read ({" ".join(str(error).split())})') from error


def globox_module() -> Any:
    """Return globox, or raise :class:`ConfigError` with the command that installs it."""
    try:
        import globox
        import globox.errors
    except ImportError as error:
        raise ConfigError(
            "data: expected globox, which reads this layout, but it is not installed: pip install 'eakd-det[convert]'"
        ) from error
    return globox
