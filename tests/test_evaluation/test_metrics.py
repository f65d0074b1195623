from __future__ import annotations

import doctest

import numpy as np

from eakd_det.evaluation import coco_figures, format_table, metrics


def test_the_six_figures_whatever_the_prefix() -> None:
    names = ('mAP', 'mAP_50', 'mAP_75', 'mAP_s', 'mAP_m', 'mAP_l')
    measured = {f'my/bbox_{name}': np.float64(0.1 * index) for index, name in enumerate(names)}
    expected = dict(zip(('AP', 'AP50', 'AP75', 'APs', 'APm', 'APl'), (0.1 * i for i in range(6)), strict=True))

    assert coco_figures({**measured, 'my/bbox_mAP_copypaste': '0.1 0.2', 'time': 3.0}) == expected
    assert all(type(value) is float for value in coco_figures(measured).values())


def test_what_was_not_measured_is_none() -> None:
    """-1 is pycocotools' value where there is no box; no metrics at all come from a detector that found nothing."""
    assert coco_figures({'coco/bbox_mAP': -1.0})['AP'] is None
    assert coco_figures({'coco/bbox_mAP': float('nan')})['AP'] is None
    assert set(coco_figures({}).values()) == {None}
    assert coco_figures({'coco/bbox_mAP': 0.0})['AP'] == 0.0


def test_a_table_of_no_rows_is_its_head() -> None:
    assert format_table([], ['AP'], heading='model') == '| model |   AP |\n| :---- | ---: |'


def test_long_names_do_not_break_the_table() -> None:
    lines = format_table([('a long name', {'AP': 1.0}), ('b', {})]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[2].startswith('| a long name | 100.0 |')


def test_examples_in_the_docstrings() -> None:
    assert doctest.testmod(metrics).failed == 0
