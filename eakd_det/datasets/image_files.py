"""Compare image files with their annotations: readability, size, orientation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

_ORIENTATION = 0x0112  # the EXIF tag
_ROTATED_BY_90 = (5, 6, 7, 8)


@dataclass(frozen=True)
class ImageFault:
    """A fault of an image file.

    Attributes:
        kind: Predicate that describes all images with this fault, such as 'cannot be read'.
        detail: Finding in this image.
        is_fatal: False if the image may be correct after all.
    """

    kind: str
    detail: str
    is_fatal: bool = True


def check_image(path: Path, size: tuple[int, int], follows_exif: bool = True) -> ImageFault | None:
    """Read the complete image and compare its size with the annotation file.

    Args:
        path: The image.
        size: Width and height in the annotation file.
        follows_exif: Whether the pipeline rotates images by their EXIF orientation, as MMDetection's
            ``LoadImageFromFile`` does unless ``color_type='color_ignore_orientation'``.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / 'a.png'
        >>> Image.new('RGB', (8, 5)).save(path)
        >>> check_image(path, (8, 5))
        >>> check_image(path, (5, 8)).kind
        'have width and height swapped in the annotation file'
    """
    try:
        with Image.open(path) as image:
            image.load()
            stored, orientation = image.size, image.getexif().get(_ORIENTATION, 1)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = str(error).replace(f' {str(path)!r}', '')
        return ImageFault('cannot be read', ' '.join(reason.split()) or type(error).__name__)
    rotated = stored[::-1] if follows_exif and orientation in _ROTATED_BY_90 else stored
    annotated, found = f'{size[0]} x {size[1]} in the annotation file', f'{rotated[0]} x {rotated[1]} pixels'
    if tuple(size) == rotated:
        if follows_exif and orientation in (2, 3, 4):
            return ImageFault(
                'are rotated or mirrored by their EXIF orientation when read; check that the boxes match',
                f'orientation {orientation}',
                is_fatal=False,
            )
        return None
    if all(abs(one - other) <= max(2, 0.01 * other) for one, other in zip(size, rotated, strict=True)):
        return None  # a rounding difference, negligible for boxes
    if rotated != stored and tuple(size) == stored:
        return ImageFault(
            'are annotated as stored, but rotated by their EXIF orientation when read; rotate the files, or '
            "set color_type='color_ignore_orientation' in LoadImageFromFile",
            f'{annotated}, {found} when read',
        )
    if tuple(size) == rotated[::-1]:
        return ImageFault('have width and height swapped in the annotation file', f'{annotated}, {found}')
    return ImageFault('have another size in the annotation file', f'{annotated}, {found}')


def check_images(
    sizes: Mapping[Path, tuple[int, int]], follows_exif: bool = True
) -> dict[str, list[tuple[Path, ImageFault]]]:
    """Check all images and return the faulty ones by kind of fault.

    Args:
        sizes: Width and height in the annotation file, by path.
        follows_exif: As in :func:`check_image`.
    """
    found: dict[str, list[tuple[Path, ImageFault]]] = defaultdict(list)
    for path, size in sizes.items():
        fault = check_image(path, size, follows_exif)
        if fault is not None:
            found[fault.kind].append((path, fault))
    return dict(found)


def describe_faults(found: list[tuple[Path, ImageFault]], checked: int) -> str:
    """Describe one kind of fault in one line: number of images, fault, first image.

    Example:
        >>> fault = ImageFault('cannot be read', 'image file is truncated')
        >>> describe_faults([(Path('images/a.jpg'), fault)], 32)
        '1 of 32 images cannot be read; the first is images/a.jpg (image file is truncated)'
    """
    path, fault = found[0]
    return f'{len(found)} of {checked} images {fault.kind}; the first is {path} ({fault.detail})'


def spread_sample(paths: Iterable[Path], number: int) -> list[Path]:
    """Return up to ``number`` of ``paths``, spread evenly over them.

    Example:
        >>> [path.name for path in spread_sample(map(Path, 'abcdefg'), 3)]
        ['a', 'd', 'g']
    """
    paths = list(paths)
    if len(paths) <= number:
        return paths
    return [paths[round(index * (len(paths) - 1) / max(number - 1, 1))] for index in range(number)]
