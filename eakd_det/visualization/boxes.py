"""Draw boxes over an image.

Matplotlib draws labels of a fixed size; those of MMDetection's visualizer cover the objects on images of 128 pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.patheffects import AbstractPathEffect, withStroke
from mmengine.structures import InstanceData

MISSED = '#ffffff'
_OUTLINE: list[AbstractPathEffect] = [withStroke(linewidth=3, foreground='#000000aa')]


def draw_ground_truth(axes: Axes, image: np.ndarray, ground_truth: InstanceData, classes: Sequence[str]) -> None:
    """Draw the objects of an image with their class names.

    Args:
        axes: Target axes.
        image: ``(height, width, 3)`` uint8, RGB.
        ground_truth: ``bboxes`` ``(N, 4)`` as x1, y1, x2, y2 in pixels, and ``labels`` ``(N,)``.
        classes: Names of the classes, by label.
    """
    show_image(axes, image)
    for box, label in zip(to_numpy(ground_truth.bboxes), to_numpy(ground_truth.labels), strict=True):
        draw_box(axes, box, MISSED, '-', classes[label])


def to_numpy(values: torch.Tensor | np.ndarray) -> np.ndarray:
    """Convert a tensor or array-like to a NumPy array."""
    return values.numpy(force=True) if isinstance(values, torch.Tensor) else np.asarray(values)


def show_image(axes: Axes, image: np.ndarray) -> None:
    """Show an image in pixel coordinates, without axes."""
    height, width = image.shape[:2]
    axes.imshow(image, extent=(0, width, height, 0), interpolation='bicubic')
    axes.set_axis_off()


def draw_box(axes: Axes, box: np.ndarray, colour: str, style: str, text: str | None = None) -> None:
    """Draw a box (x1, y1, x2, y2), with a label if ``text`` is given."""
    x, y, right, bottom = box
    outline = Rectangle((x, y), right - x, bottom - y, fill=False, edgecolor=colour, linewidth=1.4, linestyle=style)
    outline.set_path_effects(_OUTLINE)
    axes.add_patch(outline)
    if text is not None:
        height = axes.get_ylim()[0]
        above = y > 0.09 * height  # near the upper edge the label is placed inside the box
        axes.annotate(
            text,
            (x, y),
            xytext=(0, 1 if above else -1),
            textcoords='offset points',
            va='bottom' if above else 'top',
            fontsize=7.5,
            color='black',
            bbox={'boxstyle': 'square,pad=0.12', 'facecolor': colour, 'edgecolor': 'none', 'alpha': 0.85},
        )
