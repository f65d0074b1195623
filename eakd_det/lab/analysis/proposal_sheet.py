"""The highest- and lowest-weighted proposals of a data set on one sheet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from eakd_det.errors import ConfigError
from eakd_det.lab.analysis.figures import new_figure
from eakd_det.lab.analysis.proposal_table import ProposalTable

_CAPTION = (
    'At most one proposal of each image in a row. Below each: its weight w in nats, the assigned class (bg is '
    'background), and the predictions of teacher (T) and student (S) with their probabilities. Heavy proposals are '
    'those of which the teacher is unsure; light ones are those of which it is sure, even if it is wrong (foreground '
    'taken for bg).'
)
_CONTEXT = 0.6  # of the box's longer side, shown around it
ROWS = ('foreground, heaviest', 'foreground, lightest', 'background, heaviest', 'background, lightest')


def choose_extremes(table: ProposalTable, weights: np.ndarray, count: int) -> dict[str, list[int]]:
    """Return the rows of the heaviest and lightest proposals of foreground and background, by names in :data:`ROWS`.

    At most one proposal of each image is taken, because those of one object look alike.
    """
    result = {}
    for name in ROWS:
        rows = np.flatnonzero(table.is_foreground == name.startswith('foreground'))
        keys = weights[rows] if name.endswith('lightest') else -weights[rows]
        result[name] = _first_of_each_image(rows[np.argsort(keys, kind='stable')], table.images, count)
    return result


def _first_of_each_image(rows: np.ndarray, images: np.ndarray, count: int) -> list[int]:
    chosen: dict[int, int] = {}
    for row in rows:
        chosen.setdefault(int(images[row]), int(row))
        if len(chosen) == count:
            break
    return list(chosen.values())


def describe(table: ProposalTable, weights: np.ndarray, row: int) -> dict[str, Any]:
    """Return the data that the sheet shows for one proposal."""
    names = [*map(str, table.classes), 'bg']
    predicted: dict[str, Any] = {}
    for side, logits in (('teacher', table.teacher_logits[row]), ('student', table.student_logits[row])):
        shifted = np.exp(logits - logits.max())
        probabilities = shifted / shifted.sum()
        best = int(probabilities.argmax())
        predicted[side], predicted[f'{side}_probability'] = names[best], float(probabilities[best])
    return dict(
        weight=float(weights[row]),
        label=names[int(table.labels[row])],
        **predicted,
        image=str(table.image_paths[table.images[row]]),
        box=[round(float(value), 1) for value in table.boxes[row]],
    )


def draw_sheet(table: ProposalTable, weights: np.ndarray, chosen: Mapping[str, list[int]], title: str) -> Figure:
    """Draw the chosen proposals with their surroundings, in a row of the sheet for each name in ``chosen``."""
    columns = max(1, *(len(rows) for rows in chosen.values()))
    figure, panels = new_figure(title, _CAPTION, len(chosen), columns, panel=(1.35, 1.95))
    for line, (name, rows) in zip(panels, chosen.items(), strict=True):
        for axes in line:
            axes.set_axis_off()
        line[0].set_title(name, fontsize=10, loc='left', fontweight='bold')
        for axes, row in zip(line, rows, strict=False):
            facts = describe(table, weights, row)
            _draw_crop(axes, read_image(facts['image']), table.boxes[row])
            axes.text(0.5, -0.04, _text(facts), transform=axes.transAxes, ha='center', va='top', fontsize=7.5)
    return figure


def _text(facts: Mapping[str, Any]) -> str:
    lines = [f'w {facts["weight"]:.3g}  is {facts["label"]}']
    for letter, side in (('T', 'teacher'), ('S', 'student')):
        lines.append(f'{letter}: {facts[side]} {facts[f"{side}_probability"]:.2f}')
    return '\n'.join(line if len(line) < 22 else f'{line[:20]}…' for line in lines)


def _draw_crop(axes: Axes, image: np.ndarray, box: np.ndarray) -> None:
    x, y, right, bottom = (float(value) for value in box)
    half = max(right - x, bottom - y, 1) * (0.5 + _CONTEXT)
    centre_x, centre_y = (x + right) / 2, (y + bottom) / 2
    left, top = max(math.floor(centre_x - half), 0), max(math.floor(centre_y - half), 0)
    crop = image[top : math.ceil(centre_y + half), left : math.ceil(centre_x + half)]
    axes.imshow(crop, extent=(left, left + crop.shape[1], top + crop.shape[0], top), interpolation='bicubic')
    axes.set_xlim(centre_x - half, centre_x + half)
    axes.set_ylim(centre_y + half, centre_y - half)
    outline = Rectangle((x, y), right - x, bottom - y, fill=False, edgecolor='#ffd21f', linewidth=1.3)
    outline.set_path_effects([withStroke(linewidth=2.6, foreground='#000000aa')])
    axes.add_patch(outline)


def read_image(path: str) -> np.ndarray:
    """Read an image as RGB.

    Raises:
        ConfigError: If it does not exist or is not an image.
    """
    image = cv2.imread(path) if Path(path).is_file() else None
    if image is None:
        raise ConfigError(
            f'source: expected the image {path}, as it was when the table was collected, but it cannot be read; '
            'run this from the same folder'
        )
    return np.ascontiguousarray(image[..., ::-1])
