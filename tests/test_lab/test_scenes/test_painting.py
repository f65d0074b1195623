"""How a scene is painted: boxes fit the ink, digits do not hide each other."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from eakd_det.lab.scenes.painting import PaintingRules, paint_scene

GREY = np.full((60, 90, 3), 128, np.uint8)


@pytest.fixture(scope='module')
def digits() -> dict[int, np.ndarray]:
    from sklearn.datasets import load_digits

    return {index: image / 16 for index, image in enumerate(load_digits().images)}


def overlap(first, second) -> float:
    width, height = (min(first[i] + first[i + 2], second[i] + second[i + 2]) - max(first[i], second[i]) for i in (0, 1))
    return max(width, 0) * max(height, 0) / min(first[2] * first[3], second[2] * second[3])


@pytest.mark.parametrize('seed', range(30))
def test_box_is_where_the_pixels_changed(digits, seed):
    rules = PaintingRules(96, digits_per_scene=(1, 1), digit_height=(12, 48), max_overlap=0.0)
    image, (digit,) = paint_scene(GREY, digits, rules, np.random.default_rng(seed))
    x, y, width, height = digit.box
    changed = np.abs(image.astype(int) - 128).max(axis=-1)
    inside = np.zeros(changed.shape, bool)
    inside[y : y + height, x : x + width] = True
    assert not changed[~inside].any()
    for edge in (changed[y, x : x + width], changed[y + height - 1, x : x + width]):
        assert edge.max() > 15, 'no ink at the upper or lower edge of the box'
    for edge in (changed[y : y + height, x], changed[y : y + height, x + width - 1]):
        assert edge.max() > 15, 'no ink at the left or right edge of the box'


@pytest.mark.parametrize('limit', [0.0, 0.2])
def test_no_digit_covers_another_more_than_allowed(digits, limit):
    rules = PaintingRules(96, digits_per_scene=(8, 8), digit_height=(20, 48), max_overlap=limit)
    largest = 0.0
    for seed in range(30):
        _, placed = paint_scene(GREY, digits, rules, np.random.default_rng(seed))
        pairs = itertools.combinations([digit.box for digit in placed], 2)
        largest = max([largest, *(overlap(*pair) for pair in pairs)])
    assert largest <= limit
    assert (largest > 0) == (limit > 0)


def test_full_scene_gets_fewer_digits_and_at_least_one(digits):
    rules = PaintingRules(64, digits_per_scene=(50, 50), digit_height=(30, 32), max_overlap=0.0)
    counts = [len(paint_scene(GREY, digits, rules, np.random.default_rng(seed))[1]) for seed in range(5)]
    assert min(counts) >= 1
    assert max(counts) < 50


def test_digit_stands_out(digits):
    rules = PaintingRules(96, digits_per_scene=(1, 1), digit_height=(20, 40), max_overlap=0.0)
    for seed in range(30):
        image, (digit,) = paint_scene(GREY, digits, rules, np.random.default_rng(seed))
        x, y, width, height = digit.box
        grey = image[y : y + height, x : x + width].astype(float).mean(axis=-1)
        assert np.abs(grey - 128).max() > 40
