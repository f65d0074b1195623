"""Detections drawn over images, and those of several detectors side by side.

Correct detections are defined as in the COCO evaluation.
"""

from __future__ import annotations

import dataclasses
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from mmdet.evaluation.functional import bbox_overlaps
from mmdet.evaluation.functional.mean_ap import tpfp_default
from mmengine.structures import InstanceData

from eakd_det.errors import ConfigError
from eakd_det.files import write_atomically
from eakd_det.visualization.boxes import MISSED, draw_box, draw_ground_truth, show_image, to_numpy

RIGHT, WRONG = '#35d0ff', '#ff5a1f'  # blue and orange, suited to colour-blind readers
_PANEL_INCHES = 2.4
_DPI = 130


@dataclasses.dataclass(frozen=True)
class DetectedScene:
    """An image with its ground truth and the detections of each detector.

    Args:
        image: ``(height, width, 3)`` uint8, RGB.
        ground_truth: ``bboxes`` ``(N, 4)`` as x1, y1, x2, y2 in pixels, and ``labels`` ``(N,)``.
        detections: By the detector's name: ``bboxes``, ``labels`` and ``scores``.
    """

    image: np.ndarray
    ground_truth: InstanceData
    detections: Mapping[str, InstanceData]


def side_by_side(
    scenes: Sequence[DetectedScene],
    classes: Sequence[str],
    path: str | os.PathLike[str],
    score_thr: float = 0.3,
    iou_thr: float = 0.5,
) -> None:
    """Draw a table of pictures: a row per scene, a column for the ground truth and for each detector.

    Args:
        scenes: The rows, with the same detectors in the same order.
        classes: Names of the classes, by label.
        path: File to write; the suffix (.png, .jpg) chooses the format.
        score_thr: Detections with lower scores are left out.
        iou_thr: Smallest overlap of a correct detection with an object of its class.

    Raises:
        ConfigError: If there is no scene, or two scenes have different detectors.
    """
    names = list(scenes[0].detections) if scenes else []
    if not scenes or any(list(scene.detections) != names for scene in scenes):
        raise ConfigError(
            'scenes: expected at least one scene, and the same detectors in each, '
            f'but got {[list(scene.detections) for scene in scenes]}'
        )
    titles = ['ground truth', *names]
    heights = [_PANEL_INCHES * scene.image.shape[0] / scene.image.shape[1] for scene in scenes]
    size = (len(titles) * _PANEL_INCHES, sum(heights) + 0.65)  # the rest is for title and legend
    layout = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.06, wspace=0.0, hspace=0.0)
    figure = Figure(figsize=size, dpi=_DPI, layout=layout)
    panels = figure.subplots(len(scenes), len(titles), squeeze=False, height_ratios=heights)
    for row, scene in zip(panels, scenes, strict=True):
        draw_ground_truth(row[0], scene.image, scene.ground_truth, classes)
        for panel, found in zip(row[1:], scene.detections.values(), strict=True):
            draw_detections(panel, scene.image, found, scene.ground_truth, classes, score_thr, iou_thr)
    for panel, title in zip(panels[0], titles, strict=True):
        panel.set_title(title, fontsize=11, pad=4)
    _add_legend(figure, score_thr, iou_thr)
    kind, content = Path(path).suffix[1:].lower() or 'png', io.BytesIO()
    figure.savefig(content, format=kind, pil_kwargs={'quality': 88} if kind in ('jpg', 'jpeg') else None)
    write_atomically(path, content.getvalue())


def draw_detections(
    axes: Axes,
    image: np.ndarray,
    found: InstanceData,
    ground_truth: InstanceData,
    classes: Sequence[str],
    score_thr: float = 0.3,
    iou_thr: float = 0.5,
) -> None:
    """Draw detections with class names and scores, coloured by correctness, and the missed objects.

    Args:
        axes: Where to draw.
        image: ``(height, width, 3)`` uint8, RGB.
        found: ``bboxes`` ``(N, 4)`` as x1, y1, x2, y2 in pixels, ``labels`` and ``scores`` ``(N,)``.
        ground_truth: ``bboxes`` and ``labels``.
        classes: Names of the classes, by label.
        score_thr: Detections with lower scores are left out.
        iou_thr: Smallest overlap of a correct detection with an object of its class. Only the detection with the
            highest score is correct for an object; others are wrong.
    """
    show_image(axes, image)
    found = found[found.scores >= score_thr]
    right, missed = match(found, ground_truth, iou_thr)
    for box in to_numpy(ground_truth.bboxes)[missed]:
        draw_box(axes, box, MISSED, ':')
    # The highest score last, so that its label stays legible where boxes overlap.
    boxes, labels, scores = to_numpy(found.bboxes), to_numpy(found.labels), to_numpy(found.scores)
    for index in np.argsort(scores):
        text = f'{classes[labels[index]]}  {scores[index]:.2f}'
        draw_box(axes, boxes[index], RIGHT if right[index] else WRONG, '-', text)


def match(found: InstanceData, ground_truth: InstanceData, iou_thr: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Return which detections are correct and which objects were missed.

    Returns:
        Two boolean arrays: for each detection whether it is correct, for each object whether it was missed.

    Example:
        >>> box = torch.tensor([[0.0, 0.0, 10.0, 10.0]])
        >>> truth = InstanceData(bboxes=box, labels=torch.tensor([3]))
        >>> found = InstanceData(bboxes=box.repeat(2, 1), labels=torch.tensor([3, 8]), scores=torch.tensor([0.9, 0.8]))
        >>> [values.tolist() for values in match(found, truth)]
        [[True, False], [False]]
    """
    boxes, labels = to_numpy(found.bboxes), to_numpy(found.labels)
    true_boxes, true_labels = to_numpy(ground_truth.bboxes), to_numpy(ground_truth.labels)
    right, missed = np.zeros(len(boxes), bool), np.ones(len(true_boxes), bool)
    for label in np.unique(labels):
        own, true = labels == label, true_labels == label
        scored = np.concatenate([boxes[own], to_numpy(found.scores)[own, None]], axis=1)
        nothing = np.zeros((0, 4), np.float32)
        right[own] = tpfp_default(scored, true_boxes[true], nothing, iou_thr)[0][0].astype(bool)
        if true.any():
            missed[true] = bbox_overlaps(boxes[own], true_boxes[true]).max(axis=0) < iou_thr
    return right, missed


def _add_legend(figure: Figure, score_thr: float, iou_thr: float) -> None:
    styles = (
        (RIGHT, '-', f'right: class correct, IoU ≥ {iou_thr:g}'),
        (WRONG, '-', 'wrong'),
        (MISSED, ':', f'not found (scores from {score_thr:g} shown)'),
    )
    handles = [Line2D([], [], color=colour, linestyle=style, linewidth=2, label=text) for colour, style, text in styles]
    figure.legend(handles=handles, loc='outside lower center', ncols=3, fontsize=9, facecolor='#777777', labelcolor='w')
