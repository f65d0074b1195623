"""Image files compared with their annotations."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest
from PIL import Image

from eakd_det.datasets import image_files
from eakd_det.datasets.image_files import check_image, check_images, spread_sample


def photo(path: Path, size: tuple[int, int] = (64, 48), orientation: int | None = None) -> Path:
    image = Image.effect_noise(size, 80).convert('RGB')
    exif = image.getexif()
    if orientation is not None:
        exif[0x0112] = orientation
    image.save(path, exif=exif)
    return path


def test_examples() -> None:
    assert doctest.testmod(image_files).failed == 0


@pytest.mark.parametrize(
    ('orientation', 'size', 'kind'),
    [
        (None, (64, 48), None),
        (None, (64, 47), None),  # a rounding difference
        (None, (48, 64), 'have width and height swapped'),
        (None, (128, 96), 'have another size'),
        (1, (64, 48), None),
        (6, (48, 64), None),  # annotated in the orientation in which it is read
        (6, (64, 48), 'are annotated as stored, but rotated'),
        (8, (64, 48), 'are annotated as stored, but rotated'),
        (3, (64, 48), 'are rotated or mirrored'),
    ],
)
def test_size_and_orientation(tmp_path: Path, orientation: int | None, size: tuple[int, int], kind: str | None) -> None:
    fault = check_image(photo(tmp_path / 'a.jpg', orientation=orientation), size)
    assert (fault is None) if kind is None else fault.kind.startswith(kind)
    assert fault is None or fault.is_fatal is (orientation != 3)


def test_a_pipeline_that_ignores_exif(tmp_path: Path) -> None:
    path = photo(tmp_path / 'a.jpg', orientation=6)
    assert check_image(path, (64, 48), follows_exif=False) is None
    assert check_image(path, (48, 64), follows_exif=False).kind.startswith('have width and height swapped')


@pytest.mark.parametrize('content', ['cut', '<html>404</html>', ''])
def test_files_that_cannot_be_read(tmp_path: Path, content: str) -> None:
    path = photo(tmp_path / 'a.jpg')
    path.write_bytes(path.read_bytes()[:900] if content == 'cut' else content.encode())
    fault = check_image(path, (64, 48))
    assert fault.kind == 'cannot be read'
    assert str(tmp_path) not in fault.detail
    assert check_image(tmp_path / 'none.jpg', (64, 48)).kind == 'cannot be read'


def test_faults_are_grouped_by_kind(tmp_path: Path) -> None:
    sizes = {photo(tmp_path / f'{index}.jpg'): (48, 64) if index else (64, 48) for index in range(3)}
    ((kind, found),) = check_images(sizes).items()
    assert kind.startswith('have width and height swapped')
    assert [path.name for path, _ in found] == ['1.jpg', '2.jpg']


def test_a_sample_includes_both_ends() -> None:
    paths = [Path(str(index)) for index in range(100)]
    sample = spread_sample(paths, 32)
    assert (len(set(sample)), sample[0], sample[-1]) == (32, paths[0], paths[-1])
