"""Which proposals are drawn, where, and in which colour."""

from __future__ import annotations

import dataclasses
import json

import cv2
import numpy as np
import pytest
from matplotlib.colors import Normalize, to_hex
from matplotlib.figure import Figure

from eakd_det.lab.analysis.command import main
from eakd_det.lab.analysis.proposal_pictures import draw_boxes, draw_weighted_proposals, to_array
from eakd_det.lab.analysis.proposal_sheet import ROWS, choose_extremes, describe, draw_sheet
from tests.test_lab.test_analysis.conftest import make_table

GREY = np.full((64, 80, 3), 90, np.uint8)


def boxes_of(axes) -> list[tuple]:
    return [(*patch.get_xy(), patch.get_width(), patch.get_height()) for patch in axes.patches]


class TestWeightedProposals:
    def test_foreground_and_background_apart_the_heaviest_on_top(self):
        boxes = np.array([[0, 0, 10, 10], [5, 5, 25, 15], [20, 20, 30, 40], [1, 2, 4, 8]])
        is_foreground = np.array([True, False, True, True])
        figure = draw_weighted_proposals(GREY, boxes, np.array([2.0, 1.0, 0.5, 3.0]), is_foreground, limits=(0, 3))
        left, right, bar = figure.axes
        assert boxes_of(left) == [(20, 20, 10, 20), (0, 0, 10, 10), (1, 2, 3, 6)]
        assert boxes_of(right) == [(5, 5, 20, 10)]
        assert left.get_title() == 'foreground: 3 proposals, mean weight 1.83'
        assert right.get_title() == 'background: 1 proposal, mean weight 1.00'
        assert bar.get_ylabel() == 'weight (nats)'
        assert to_hex(left.patches[-1].get_edgecolor()) == '#f0f921'  # the brightest of the map
        assert left.patches[0].get_edgecolor() != left.patches[1].get_edgecolor()

    def test_of_too_many_some_with_both_ends(self):
        axes = Figure().subplots()
        boxes = np.tile(np.arange(100.0)[:, None], (1, 4))
        draw_boxes(axes, GREY, boxes, np.arange(100.0), Normalize(0, 100), max_boxes=5)
        assert [x for x, *_ in boxes_of(axes)] == [0, 25, 50, 74, 99]

    def test_no_background(self):
        figure = draw_weighted_proposals(GREY, np.zeros((1, 4)), np.zeros(1), np.ones(1, bool))
        assert figure.axes[1].get_title() == 'background: 0 proposals'
        image = to_array(figure)
        assert image.dtype == np.uint8
        assert image.shape[2] == 3
        assert image.std() > 20


class TestSheet:
    def test_extremes_one_of_each_image(self):
        table = make_table()
        weights = np.linspace(0, 1, len(table))
        chosen = choose_extremes(table, weights, count=2)
        assert list(chosen) == list(ROWS)
        for name, rows in chosen.items():
            assert len({int(table.images[row]) for row in rows}) == 2
            assert all(table.is_foreground[row] == name.startswith('foreground') for row in rows)
        foreground = np.flatnonzero(table.is_foreground)
        assert chosen['foreground, heaviest'][0] == foreground[-1]
        assert chosen['foreground, lightest'][0] == foreground[0]
        last = foreground[table.images[foreground] == 1][-1]
        assert chosen['foreground, heaviest'][1] == last

    def test_description(self):
        table = make_table()
        logits = np.log(np.array([[0.1, 0.2, 0.3, 0.4]], np.float32))
        table = dataclasses.replace(table, teacher_logits=np.repeat(logits, 60, axis=0))
        facts = describe(table, np.arange(60.0), 7)
        assert facts['weight'] == 7
        assert (facts['teacher'], facts['teacher_probability']) == ('bg', pytest.approx(0.4))
        assert facts['label'] == [*table.classes, 'bg'][table.labels[7]]

    def test_panels_show_the_boxes(self, tmp_path):
        for name in ('1.png', '2.png', '3.png'):
            cv2.imwrite(str(tmp_path / name), GREY)
        table = make_table()
        table = dataclasses.replace(table, image_paths=np.array([f'{tmp_path}/{name}.png' for name in (1, 2, 3)]))
        weights = table.weights()
        chosen = choose_extremes(table, weights, count=3)
        figure = draw_sheet(table, weights, chosen, 'title')
        assert len(figure.axes) == 12
        heaviest = chosen['foreground, heaviest'][0]
        x, y, right, bottom = (float(value) for value in table.boxes[heaviest])
        np.testing.assert_allclose(boxes_of(figure.axes[0]), [(x, y, right - x, bottom - y)])
        assert figure.axes[0].texts[0].get_text().startswith(f'w {weights[heaviest]:.3g}  is class')
        assert [axes.get_title(loc='left') for axes in figure.axes[::3]] == list(ROWS)


class TestCommand:
    def test_files(self, tmp_path, data_root):
        table = make_table()
        paths = np.array([str(data_root / 'train' / f'{name}.png') for name in (1, 2, 3)])
        dataclasses.replace(table, image_paths=paths).save(tmp_path / 'proposals.npz')
        arguments = ['--out', str(tmp_path / 'out'), '--pictures', '2', '--columns', '2', '--tau', '2']
        assert main(['draw', str(tmp_path / 'proposals.npz'), *arguments]) == 0
        stems = ['proposals_1', 'proposals_2', 'sheet']
        assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == sorted(
            f'{stem}.{suffix}' for stem in stems for suffix in ('json', 'png')
        )
        numbers = json.loads((tmp_path / 'out' / 'proposals_1.json').read_text())
        rows = table.images == 0
        np.testing.assert_allclose(numbers['weights'], table.weights(2.0)[rows], atol=1e-4)
        sheet = json.loads((tmp_path / 'out' / 'sheet.json').read_text())
        assert sheet['tau'] == 2
        assert len(sheet['background, heaviest']) == 2

    def test_image_that_moved(self, tmp_path, capsys):
        make_table().save(tmp_path / 'proposals.npz')
        assert main(['draw', str(tmp_path / 'proposals.npz')]) == 1
        assert 'Error: source: expected the image' in capsys.readouterr().err
