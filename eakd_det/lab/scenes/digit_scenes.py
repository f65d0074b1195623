"""A detection data set that is generated without a download: handwritten digits on photographs.

The pixels are from scikit-learn: the 1,797 digits of ``load_digits`` (a test set of people's handwriting, 8 × 8 pixels
each) are laid at random sizes, colours and places over crops of the two photographs of
``load_sample_images``. Train and val share neither a digit nor a pixel of a photograph: the digits are split
class by class, and train gets the left part of each photograph.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from eakd_det.errors import ConfigError
from eakd_det.lab.scenes.painting import PaintingRules, PlacedDigit, paint_scene

CLASSES = tuple(str(digit) for digit in range(10))
_SPLITS = ('train', 'val')
_TRAIN_SHARE = 0.75  # of the digits of each class, and of each photograph's width
_MANIFEST = 'manifest.json'
_VERSION = 1  # increase it whenever the same parameters give other scenes


@dataclasses.dataclass(frozen=True)
class DigitScenes:
    """Files of the scenes.

    Args:
        root: Folder of all files; ``data_root`` in a config.
        train_ann: COCO annotations of the training scenes.
        val_ann: COCO annotations of the validation scenes.
        train_images: Folder of the training images.
        val_images: Folder of the validation images.
        reused: Whether they existed already.
    """

    root: Path
    train_ann: Path
    val_ann: Path
    train_images: Path
    val_images: Path
    reused: bool


def make_digit_scenes(
    root: str | os.PathLike[str],
    num_train: int = 1000,
    num_val: int = 200,
    image_size: int = 128,
    seed: int = 0,
    digits_per_scene: tuple[int, int] = (1, 6),
    digit_height: tuple[int, int] = (14, 48),
    max_overlap: float = 0.2,
) -> DigitScenes:
    """Generate the scenes under ``root``, or reuse those with the same parameters.

    The folder is complete or absent: it is written under another name and renamed at the end. A scene
    depends on ``seed``, its split and its number only, so the first images of a larger set are those of a smaller one.

    Args:
        root: Folder to create. Scenes with other parameters are replaced; a folder with other content is refused.
        num_train: Number of training images.
        num_val: Number of validation images.
        image_size: Side of the square images, in pixels.
        seed: Seed of all random numbers.
        digits_per_scene: Fewest and most digits of a scene; fewer, but at least one, if there is no room.
        digit_height: Smallest and largest height of a digit, in pixels.
        max_overlap: Largest overlap of two digits' boxes, as a fraction of the smaller one.

    Returns:
        The paths, and whether the scenes existed already.

    Raises:
        ConfigError: If a parameter is out of range, or ``root`` has other content.

    Example:
        >>> import tempfile
        >>> scenes = make_digit_scenes(Path(tempfile.mkdtemp()) / 'digits', num_train=2, num_val=1)
        >>> sorted(path.name for path in scenes.train_images.iterdir()), scenes.reused
        (['000000.jpg', '000001.jpg'], False)
    """
    rules = PaintingRules(image_size, digits_per_scene, digit_height, max_overlap)
    sizes = {'train': num_train, 'val': num_val}
    _check(rules, sizes, seed)
    root = Path(root)
    parameters = {'version': _VERSION, 'seed': seed, 'sizes': sizes, 'rules': dataclasses.asdict(rules)}
    if _holds(root, parameters):
        return _paths(root, reused=True)
    if root.exists() and not (root / _MANIFEST).is_file() and (not root.is_dir() or any(root.iterdir())):
        raise ConfigError(f'root: expected a new or empty folder, or one with digit scenes, but got {str(root)!r}')

    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f'.{root.name}-', dir=root.parent) as scratch:
        made = Path(scratch) / root.name
        checksums = {split: _write_split(made, split, sizes[split], rules, seed) for split in _SPLITS}
        (made / _MANIFEST).write_text(json.dumps({**parameters, 'sha256': checksums}, indent=1))
        if root.exists():
            shutil.rmtree(root)
        os.replace(made, root)
    return _paths(root, reused=False)


def _check(rules: PaintingRules, sizes: dict[str, int], seed: int) -> None:
    """Raise ConfigError at the first parameter that is out of range."""
    fewest, most = rules.digits_per_scene
    least, largest = rules.digit_height
    for name, fine, expected, value in (
        ('num_train', sizes['train'] >= 1, 'at least 1', sizes['train']),
        ('num_val', sizes['val'] >= 1, 'at least 1', sizes['val']),
        ('image_size', rules.image_size >= 32, 'at least 32 pixels', rules.image_size),
        ('seed', seed >= 0, 'at least 0', seed),
        ('digits_per_scene', 1 <= fewest <= most, '1 <= fewest <= most', rules.digits_per_scene),
        ('digit_height', 8 <= least <= largest <= rules.image_size // 2,
         f'8 <= least <= largest <= image_size // 2 = {rules.image_size // 2}', rules.digit_height),
        ('max_overlap', 0 <= rules.max_overlap <= 1, 'between 0 and 1', rules.max_overlap),
    ):  # fmt: skip
        if not fine:
            raise ConfigError(f'{name}: expected {expected}, but got {value!r}')


def _paths(root: Path, reused: bool) -> DigitScenes:
    train_ann, val_ann = (root / 'annotations' / f'instances_{split}.json' for split in _SPLITS)
    return DigitScenes(root, train_ann, val_ann, root / 'train', root / 'val', reused)


def _holds(root: Path, parameters: dict[str, Any]) -> bool:
    """Return whether ``root`` has the intact scenes of these parameters."""
    try:
        manifest = json.loads((root / _MANIFEST).read_text())
        checksums = manifest.pop('sha256')
        return bool(manifest == json.loads(json.dumps(parameters))) and all(
            _checksum(root / 'annotations' / f'instances_{split}.json') == checksums[split]
            and len(list((root / split).iterdir())) == parameters['sizes'][split]
            for split in _SPLITS
        )
    except (OSError, ValueError, KeyError, AttributeError):
        return False


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write_split(root: Path, split: str, size: int, rules: PaintingRules, seed: int) -> str:
    """Write one split's images and its annotations, and return the checksum of the latter."""
    (root / split).mkdir(parents=True)
    photographs, digits, labels = _sources(split, seed)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for index in range(size):
        rng = np.random.default_rng([seed, _SPLITS.index(split), index])
        image, placed = paint_scene(photographs[rng.integers(len(photographs))], digits, rules, rng)
        file_name = f'{index:06d}.jpg'
        path = root / split / file_name
        if not cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 95]):
            raise OSError(f'{path} could not be written')
        images.append({'id': index + 1, 'file_name': file_name, 'width': image.shape[1], 'height': image.shape[0]})
        annotations.extend(_annotations(placed, labels, image_id=index + 1, first_id=len(annotations) + 1))
    path = root / 'annotations' / f'instances_{split}.json'
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(_coco(images, annotations)))
    return _checksum(path)


def _annotations(
    placed: list[PlacedDigit], labels: np.ndarray, image_id: int, first_id: int
) -> Iterator[dict[str, Any]]:
    """Yield COCO annotations; the additional field ``digit`` is the index of the handwritten digit."""
    for number, digit in enumerate(placed):
        yield {
            'id': first_id + number,
            'image_id': image_id,
            'category_id': int(labels[digit.source]) + 1,
            'bbox': list(digit.box),
            'area': digit.box[2] * digit.box[3],
            'iscrowd': 0,
            'digit': digit.source,
        }


def _coco(images: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> dict[str, Any]:
    categories = [{'id': number + 1, 'name': name, 'supercategory': 'digit'} for number, name in enumerate(CLASSES)]
    info = {'description': 'Handwritten digits on photographs, from the samples that scikit-learn ships'}
    return {'info': info, 'licenses': [], 'images': images, 'annotations': annotations, 'categories': categories}


def _sources(split: str, seed: int) -> tuple[list[np.ndarray], dict[int, np.ndarray], np.ndarray]:
    """Return a split's part of the photographs (BGR), its digits (ink in [0, 1] by index) and every digit's class."""
    from sklearn.datasets import load_digits, load_sample_images

    data = load_digits()
    rng = np.random.default_rng([seed, len(_SPLITS)])
    chosen: list[int] = []
    for label in range(len(CLASSES)):
        indices = rng.permutation(np.flatnonzero(data.target == label))
        cut = round(_TRAIN_SHARE * len(indices))
        chosen.extend(int(index) for index in (indices[:cut] if split == 'train' else indices[cut:]))
    photographs = []
    for photograph in load_sample_images().images:
        cut = round(_TRAIN_SHARE * photograph.shape[1])
        part = photograph[:, :cut] if split == 'train' else photograph[:, cut:]
        photographs.append(np.ascontiguousarray(part[..., ::-1]))
    return photographs, {index: data.images[index] / 16 for index in chosen}, data.target
