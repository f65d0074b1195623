"""What is called right and missed, and that the pictures show it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from mmengine.structures import InstanceData
from PIL import Image

from eakd_det.errors import ConfigError
from eakd_det.visualization.boxes import MISSED, draw_ground_truth
from eakd_det.visualization.detections import RIGHT, WRONG, DetectedScene, draw_detections, match, side_by_side

GREY = np.full((64, 64, 3), 90, np.uint8)
CLASSES = ('cat', 'dog')


def instances(boxes, labels, scores=None) -> InstanceData:
    data = InstanceData(bboxes=torch.tensor(boxes).float().reshape(-1, 4), labels=torch.tensor(labels).long())
    if scores is not None:
        data.scores = torch.tensor(scores).float()
    return data


TRUTH = instances([[4, 20, 24, 40], [34, 20, 60, 50]], [0, 1])


def panel():
    return Figure(figsize=(2, 2)).subplots()


def outlines(axes) -> list[tuple]:
    """Colour, dashed or not, and corner of every rectangle that was drawn."""
    from matplotlib.colors import to_hex

    return [(to_hex(patch.get_edgecolor()), patch.get_linestyle(), patch.get_xy()) for patch in axes.patches]


class TestMatch:
    @pytest.mark.parametrize(
        ('boxes', 'labels', 'scores', 'right', 'missed'),
        [
            ([[4, 20, 24, 40], [34, 20, 60, 50]], [0, 1], [0.9, 0.8], [True, True], [False, False]),
            ([[4, 20, 24, 40]], [1], [0.9], [False], [True, True]),  # of the wrong class
            ([[14, 20, 34, 40]], [0], [0.9], [False], [True, True]),  # overlaps by a third
            ([[4, 20, 24, 40], [5, 20, 25, 40]], [0, 0], [0.5, 0.9], [False, True], [False, True]),  # found twice
            ([], [], [], [], [True, True]),
        ],
    )
    def test_cases(self, boxes, labels, scores, right, missed):
        result = match(instances(boxes, labels, scores), TRUTH)
        assert [values.tolist() for values in result] == [right, missed]

    def test_empty_scene_makes_all_wrong(self):
        right, missed = match(instances([[0, 0, 9, 9]], [0], [0.9]), instances([], []))
        assert (right.tolist(), missed.tolist()) == ([False], [])

    def test_threshold_decides(self):
        shifted = instances([[8, 20, 28, 40]], [0], [0.9])  # IoU 2/3
        assert match(shifted, TRUTH, 0.6)[0].tolist() == [True]
        assert match(shifted, TRUTH, 0.7)[0].tolist() == [False]


class TestDrawing:
    def test_colours_and_labels(self):
        axes = panel()
        found = instances([[4, 20, 24, 40], [34, 20, 60, 50], [0, 0, 9, 9]], [0, 0, 1], [0.9, 0.8, 0.1])
        draw_detections(axes, GREY, found, TRUTH, CLASSES, score_thr=0.3)
        assert sorted(outlines(axes)) == sorted(
            [(RIGHT, '-', (4, 20)), (WRONG, '-', (34, 20)), (MISSED, ':', (34, 20))]
        )
        assert sorted(text.get_text() for text in axes.texts) == ['cat  0.80', 'cat  0.90']

    def test_ground_truth(self):
        axes = panel()
        draw_ground_truth(axes, GREY, TRUTH, CLASSES)
        assert [text.get_text() for text in axes.texts] == ['cat', 'dog']
        assert {colour for colour, _, _ in outlines(axes)} == {MISSED}

    def test_label_at_the_upper_edge_stays_inside(self):
        axes = panel()
        draw_ground_truth(axes, GREY, instances([[4, 0, 24, 20], [4, 30, 24, 50]], [0, 1]), CLASSES)
        assert [text.get_va() for text in axes.texts] == ['top', 'bottom']


class TestSideBySide:
    @pytest.mark.parametrize('suffix', ['jpg', 'png'])
    def test_picture(self, tmp_path, suffix):
        path = tmp_path / f'picture.{suffix}'
        found = {'one': instances([[4, 20, 24, 40]], [0], [0.9]), 'two': instances([[4, 20, 24, 40]], [1], [0.9])}
        side_by_side([DetectedScene(GREY, TRUTH, found)] * 2, CLASSES, path)
        image = np.asarray(Image.open(path).convert('RGB')).astype(int)
        height, width = image.shape[:2]
        assert width > height > 400

        def shows(colour: str, columns: slice) -> bool:
            wanted = [int(colour[index : index + 2], 16) for index in (1, 3, 5)]
            panels = image[: int(0.9 * height), columns]  # without the legend
            return bool((np.abs(panels - wanted).max(axis=-1) < 40).sum() > 50)

        middle, last = slice(width // 3 + 5, 2 * width // 3 - 5), slice(2 * width // 3 + 5, None)
        assert shows(RIGHT, middle)
        assert not shows(WRONG, middle)
        assert shows(WRONG, last)
        assert not shows(RIGHT, last)

    def test_scenes_must_agree(self, tmp_path):
        scene = DetectedScene(GREY, TRUTH, {'one': instances([], [], [])})
        other = DetectedScene(GREY, TRUTH, {'two': instances([], [], [])})
        for scenes in ([], [scene, other]):
            with pytest.raises(ConfigError, match=r'^scenes: expected at least one'):
                side_by_side(scenes, CLASSES, tmp_path / 'picture.png')
