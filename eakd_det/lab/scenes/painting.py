"""Painting of a digit scene: a crop of a photograph with handwritten digits over it.

This module accesses no files, and its only source of randomness is the given generator.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

_INK = 0.35  # smallest opacity of a pixel that belongs to the digit and its box
_MIN_CONTRAST = 60.0  # grey levels between a digit and the mean below it
_PLACEMENT_TRIES = 30


@dataclasses.dataclass(frozen=True)
class PaintingRules:
    """Limits of a scene.

    Args:
        image_size: Side of the square image, in pixels.
        digits_per_scene: Fewest and most digits of a scene; fewer if there is no room.
        digit_height: Smallest and largest height of a digit, in pixels.
        max_overlap: Largest overlap of two digits' boxes, as a fraction of the smaller one.
    """

    image_size: int
    digits_per_scene: tuple[int, int]
    digit_height: tuple[int, int]
    max_overlap: float


@dataclasses.dataclass(frozen=True)
class PlacedDigit:
    """One digit of a scene.

    Args:
        source: Index of the digit in ``sklearn.datasets.load_digits()``.
        box: ``(x, y, width, height)`` of its ink, in whole pixels, inside the image.
    """

    source: int
    box: tuple[int, int, int, int]


def paint_scene(
    photograph: np.ndarray, digits: dict[int, np.ndarray], rules: PaintingRules, rng: np.random.Generator
) -> tuple[np.ndarray, list[PlacedDigit]]:
    """Paint one scene.

    Args:
        photograph: ``(height, width, 3)`` uint8, of which a random square becomes the background.
        digits: Handwritten digits to choose from: their index in ``load_digits`` to the ``(8, 8)`` ink in [0, 1].
        rules: Limits of the scene.
        rng: The only source of randomness.

    Returns:
        The image, ``(image_size, image_size, 3)`` uint8 with the photograph's channel order, and the digits on it:
        at least one, in the order of painting (a later one may cover a corner of an earlier one).

    Example:
        >>> photograph, stroke = np.full((40, 40, 3), 90, np.uint8), np.zeros((8, 8))
        >>> stroke[1:7, 3:5] = 1
        >>> rules = PaintingRules(32, digits_per_scene=(1, 1), digit_height=(12, 12), max_overlap=0.0)
        >>> image, placed = paint_scene(photograph, {7: stroke}, rules, np.random.default_rng(0))
        >>> image.shape, placed[0].source, placed[0].box[3]
        ((32, 32, 3), 7, 12)
    """
    image = _background(photograph, rules.image_size, rng)
    placed: list[PlacedDigit] = []
    sources = sorted(digits)
    for _ in range(rng.integers(rules.digits_per_scene[0], rules.digits_per_scene[1] + 1)):
        source = sources[rng.integers(len(sources))]
        opacity = _opacity(digits[source], int(rng.integers(rules.digit_height[0], rules.digit_height[1] + 1)))
        box = _free_place(opacity.shape, [digit.box for digit in placed], rules, rng)
        if box is not None:
            _lay_over(image, opacity, box, rng)
            placed.append(PlacedDigit(source, box))
    return image, placed


def _background(photograph: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Return a random square of the photograph, half its short side at least, scaled to ``size``, maybe mirrored."""
    height, width = photograph.shape[:2]
    side = int(rng.integers(min(height, width) // 2, min(height, width) + 1))
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    crop = photograph[top : top + side, left : left + side]
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    return np.asarray(cv2.resize(np.ascontiguousarray(crop), (size, size), interpolation=cv2.INTER_AREA))


def _opacity(ink: np.ndarray, height: int) -> np.ndarray:
    """Scale a digit smoothly such that the box around its ink is ``height`` pixels high, and cut that box out."""
    rows, columns = _ink_extent(ink)
    tight = ink[rows, columns].astype(np.float32)
    scale = height / tight.shape[0]
    # One empty pixel around it gives the strokes soft ends instead of cut ones.
    padded = np.pad(tight, 1)
    shape = (max(round(padded.shape[1] * scale), 3), round(padded.shape[0] * scale))
    large = np.clip(cv2.resize(padded, shape, interpolation=cv2.INTER_CUBIC), 0, 1)
    rows, columns = _ink_extent(large)
    large = large[rows, columns]
    width = max(round(large.shape[1] * height / large.shape[0]), 2)
    return np.clip(cv2.resize(large, (width, height), interpolation=cv2.INTER_LINEAR), 0, 1)


def _ink_extent(ink: np.ndarray) -> tuple[slice, slice]:
    """Return the rows and the columns between the first and the last pixel with ink."""
    rows, columns = (np.flatnonzero((ink > _INK).any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _free_place(
    shape: tuple[int, ...], taken: list[tuple[int, int, int, int]], rules: PaintingRules, rng: np.random.Generator
) -> tuple[int, int, int, int] | None:
    """Return a random box of this ``(height, width)`` that does not overlap the ``taken`` ones too much, or None."""
    height, width = shape[:2]
    for _ in range(_PLACEMENT_TRIES):
        x, y = (int(rng.integers(rules.image_size - side + 1)) for side in (width, height))
        box = (x, y, width, height)
        if all(_overlap(box, other) <= rules.max_overlap for other in taken):
            return box
    return None


def _overlap(first: tuple[int, int, int, int], second: tuple[int, int, int, int]) -> float:
    """Return the area that two boxes share, as a fraction of the smaller one's."""
    shared = 1
    for axis in (0, 1):
        start = max(first[axis], second[axis])
        end = min(first[axis] + first[axis + 2], second[axis] + second[axis + 2])
        shared *= max(end - start, 0)
    return shared / min(first[2] * first[3], second[2] * second[3])


def _lay_over(image: np.ndarray, opacity: np.ndarray, box: tuple[int, int, int, int], rng: np.random.Generator) -> None:
    """Blend a digit into the image, in a colour that contrasts with the background."""
    x, y, width, height = box
    under = image[y : y + height, x : x + width].astype(np.float32)
    colour = _contrasting_colour(float(under.mean()), rng)
    alpha = opacity[..., None] * rng.uniform(0.8, 1.0)
    image[y : y + height, x : x + width] = np.rint(under * (1 - alpha) + colour * alpha).astype(np.uint8)


def _contrasting_colour(brightness: float, rng: np.random.Generator) -> np.ndarray:
    """Draw colours until one differs enough in brightness; the range of 255 levels always has one."""
    while True:
        colour = rng.uniform(0, 255, size=3)
        if abs(colour.mean() - brightness) >= _MIN_CONTRAST:
            return colour.astype(np.float32)
