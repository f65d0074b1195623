"""Proposals on their image, coloured by weight, foreground and background apart."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from eakd_det.lab.analysis.figures import new_figure
from eakd_det.plurals import counted

COLOURS = 'plasma'
MAX_BOXES = 40
_CAPTION = (
    'Each box is a proposal of one training step, coloured by its weight: where the boxes are bright, the student '
    'learns most from the teacher. Left: proposals with an object. Right: background. If there are more than '
    '{limit} boxes, a sample evenly spaced in the order of weights is drawn, the heaviest on top.'
)


def draw_weighted_proposals(
    image: np.ndarray,
    boxes: np.ndarray,
    weights: np.ndarray,
    is_foreground: np.ndarray,
    title: str = 'Weights of the proposals',
    limits: tuple[float, float] | None = None,
    max_boxes: int = MAX_BOXES,
) -> Figure:
    """Draw an image twice, with its foreground and with its background proposals.

    Args:
        image: ``(height, width, 3)`` uint8, RGB.
        boxes: ``(N, 4)`` as x1, y1, x2, y2 in pixels of ``image``.
        weights: ``(N,)``.
        is_foreground: ``(N,)``.
        title: Title of the picture.
        limits: Weights of the darkest and the brightest colour. Defaults to None, the limits of this image.
        max_boxes: Largest number of boxes in a panel.
    """
    low, high = limits or (float(weights.min(initial=0)), float(weights.max(initial=1)))
    norm = Normalize(low, high if high > low else low + 1)
    height, width = image.shape[:2]
    panel = (4.6, 4.05 * min(max(height / width, 0.4), 1.6) + 0.25)  # the colour bar takes some of the width
    figure, ((left, right),) = new_figure(title, _CAPTION.format(limit=max_boxes), columns=2, panel=panel)
    for axes, rows, name in ((left, is_foreground, 'foreground'), (right, ~is_foreground, 'background')):
        draw_boxes(axes, image, boxes[rows], weights[rows], norm, max_boxes)
        mean = f', mean weight {weights[rows].mean():.2f}' if rows.any() else ''
        axes.set_title(f'{name}: {counted(int(rows.sum()), "proposal")}{mean}', fontsize=10.5)
    bar = figure.colorbar(ScalarMappable(norm, COLOURS), ax=[left, right], shrink=0.85, pad=0.02)
    bar.set_label('weight (nats)')
    return figure


def draw_boxes(
    axes: Axes, image: np.ndarray, boxes: np.ndarray, weights: np.ndarray, norm: Normalize, max_boxes: int = MAX_BOXES
) -> None:
    """Draw ``boxes`` on ``image``, coloured by weight, the heaviest last; of too many, an even sample."""
    height, width = image.shape[:2]
    axes.imshow(image, extent=(0, width, height, 0), interpolation='bicubic')
    axes.set_axis_off()
    order = np.argsort(weights, kind='stable')
    if len(order) > max_boxes:
        order = order[np.linspace(0, len(order) - 1, max_boxes).round().astype(int)]
    colours = ScalarMappable(norm, COLOURS).to_rgba(weights)
    for index in order:
        x, y, right, bottom = boxes[index]
        outline = Rectangle((x, y), right - x, bottom - y, fill=False, edgecolor=colours[index], linewidth=1.5)
        outline.set_path_effects([withStroke(linewidth=2.6, foreground='#000000aa')])
        axes.add_patch(outline)


def to_array(figure: Figure) -> np.ndarray:
    """Return the picture as ``(height, width, 3)`` uint8 RGB, the format of visualizer backends."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
