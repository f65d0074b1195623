"""Folders in the layouts of YOLO and Pascal VOC as COCO files. The annotations are read by globox."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import cv2
import yaml

from eakd_det.errors import ConfigError
from eakd_det.files import write_json

Layout = Literal['coco', 'yolo', 'voc']
_PHOTOS = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
_HELD_OUT = 5  # without lists of its own, every fifth photo of a VOC folder is for validation


@dataclass(frozen=True)
class Converted:
    """A data set as data options of a config (:func:`eakd_det.datasets.apply_data_options`).

    Attributes:
        options: ``data_root``, and where the files are not at their usual places ``train_images`` and ``val_images``.
        remark: What to tell the user; empty if there is nothing.
    """

    options: Mapping[str, str]
    remark: str = ''


def layout_of(folder: Path) -> Layout:
    """Return the layout of a folder: ``Annotations/*.xml`` is VOC's, a YAML file with ``names`` YOLO's, else COCO's."""
    if next((folder / 'Annotations').glob('*.xml'), None) is not None:
        return 'voc'
    return 'coco' if _yolo_file(folder) is None else 'yolo'


def as_coco(folder: Path, target: Path) -> Converted:
    """Return a data folder in COCO format, converted into ``target`` if it has another layout. Photos are not copied.

    Args:
        folder: The data: COCO as in docs/custom_data.md; YOLO with ``data.yaml`` (``names``, ``train``, ``val``) and
            text files in ``labels`` beside ``images``; or VOC with ``Annotations``, ``JPEGImages`` and lists in
            ``ImageSets/Main``. A VOC folder without lists is split: every fifth photo, in the order of a hash of its
            name, is for validation.
        target: Folder for the COCO files.

    Raises:
        ConfigError: If globox is not installed, or files are missing or cannot be read.
    """
    layout = layout_of(folder)
    if layout == 'coco':
        return Converted({'data_root': str(folder)})
    sets, names, remark = _yolo(folder) if layout == 'yolo' else _voc(folder)
    options = {'data_root': str(target)}
    for split, photos in sets.items():
        if not photos:
            raise ConfigError(f'data: expected photos for {split} in {folder}, but found none')
        common = Path(os.path.commonpath([photo.parent for photo, _ in photos]))
        write_json(target / f'instances_{split}.json', _content(photos, common, names))
        options[f'{split}_images'] = f'{common.resolve()}/'
    return Converted(options, remark)


_Annotated = Sequence[tuple[Path, Any]]
"""Photos with their annotations as globox reads them."""


def _yolo_file(folder: Path) -> Path | None:
    for path in sorted([*folder.glob('*.yaml'), *folder.glob('*.yml')]):
        with contextlib.suppress(yaml.YAMLError, UnicodeDecodeError):
            content = yaml.safe_load(path.read_text(encoding='utf-8'))
            if isinstance(content, dict) and 'names' in content:
                return path
    return None


def _yolo(folder: Path) -> tuple[dict[str, _Annotated], dict[str, str], str]:
    path = _yolo_file(folder)
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
        choices = [
            root / str(entry),
            folder / str(entry),
            folder / str(entry).removeprefix('../'),
        ]  # Roboflow writes ../train
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
    globox = _globox()
    size = _size(photo)
    parts = list(photo.parts)
    if 'images' in parts:
        parts[len(parts) - 1 - parts[::-1].index('images')] = 'labels'
    labels = Path(*parts).with_suffix('.txt')
    if not labels.is_file():  # a photo without objects
        return photo, globox.Annotation(photo.name, size, [])
    with _reading(labels):
        return photo, globox.Annotation.from_yolo_v5(labels, image_size=size, image_id=photo.name)


def _voc(folder: Path) -> tuple[dict[str, _Annotated], dict[str, str], str]:
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
        annotation = _globox().Annotation.from_pascal_voc(path)
    for place in (folder / 'JPEGImages', folder / 'images', folder):
        for name in (annotation.image_id, *(f'{path.stem}{ending}' for ending in _PHOTOS)):
            if (place / name).is_file():
                return place / name, annotation
    raise ConfigError(f'data: expected the photo of {path} in {folder / "JPEGImages"}, but found none')


def _content(annotations: _Annotated, root: Path, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the content of a COCO file; ``names`` are the class names by the label in the annotations."""
    globox = _globox()
    unknown = sorted({box.label for _, item in annotations for box in item.boxes} - set(names))
    if unknown:
        raise ConfigError(f'data: expected labels of the classes {", ".join(names)}, but some boxes have {unknown[0]}')
    renamed = [
        globox.Annotation(photo.relative_to(root).as_posix(), item.image_size, item.boxes)
        for photo, item in annotations
    ]
    numbers = {name: index for index, name in enumerate(names, start=1)}
    images = {item.image_id: index for index, item in enumerate(renamed, start=1)}
    content: dict[str, Any] = globox.AnnotationSet(renamed).to_coco(label_to_id=numbers, imageid_to_id=images)
    for category in content['categories']:
        category['name'] = names[category['name']]
    for item in content['annotations']:
        item['bbox'], item['id'] = list(item['bbox']), item['id'] + 1
    return content


def _size(photo: Path) -> tuple[int, int]:
    image = cv2.imread(str(photo))
    if image is None:
        raise ConfigError(f'data: expected a photo, but {photo} cannot be read as one')
    return image.shape[1], image.shape[0]


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError, AssertionError, _globox().errors.ParsingError) as error:
        raise ConfigError(f'data: {path} cannot be read ({" ".join(str(error).split())})') from error


def _globox() -> Any:
    try:
        import globox
        import globox.errors
    except ImportError as error:
        raise ConfigError(
            "data: expected globox, which reads this layout, but it is not installed: pip install 'eakd-det[convert]'"
        ) from error
    return globox
