"""Parts that all figures share: size, title, an explaining caption, and the numbers in a file."""

from __future__ import annotations

import io
import json
import os
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from eakd_det.files import write_atomically

# Okabe and Ito's colours, suited to colour-blind readers.
BLUE, ORANGE, GREEN, PINK, GREY, SKY = '#0072b2', '#d55e00', '#009e73', '#cc79a7', '#666666', '#56b4e9'
_DPI = 130
_CHARACTERS_PER_INCH = 15.5  # of the caption's font


def new_figure(
    title: str, caption: str, rows: int = 1, columns: int = 1, panel: tuple[float, float] = (4.2, 3.6), **options: Any
) -> tuple[Figure, np.ndarray]:
    """Return a figure with panels, ``(rows, columns)``, between a title and a caption.

    Args:
        title: Title above the panels.
        caption: Explanation in one to three sentences.
        rows: Number of rows of panels.
        columns: Number of columns.
        panel: Width and height of a panel in inches.
        **options: Options of matplotlib's ``Figure.subplots``.
    """
    width = columns * panel[0]
    lines = textwrap.wrap(caption, int(width * _CHARACTERS_PER_INCH))
    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.06)
    figure = Figure(figsize=(width, rows * panel[1] + 0.35 + 0.17 * len(lines)), dpi=_DPI, layout=layout)
    panels = figure.subplots(rows, columns, squeeze=False, **options)
    figure.suptitle(title, fontsize=12, x=0.01, ha='left', fontweight='bold')
    figure.supxlabel('\n'.join(lines), fontsize=9, x=0.01, ha='left', color='#333333')
    return figure, panels


def label(axes: Axes, x: str, y: str, title: str = '') -> None:
    """Label the axes with their units and style the panel."""
    axes.set_xlabel(x)
    if x == 'iteration':
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel(y)
    axes.set_title(title, fontsize=10.5)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.spines[['top', 'right']].set_visible(False)


def save_figure(
    figure: Figure, numbers: Mapping[str, Any], folder: str | os.PathLike[str], name: str
) -> tuple[Path, Path]:
    """Write ``<name>.png`` and its numbers, ``<name>.json``, and return both paths."""
    picture, record = Path(folder) / f'{name}.png', Path(folder) / f'{name}.json'
    content = io.BytesIO()
    figure.savefig(content)
    write_atomically(picture, content.getvalue())
    write_atomically(record, (json.dumps(numbers, indent=1, allow_nan=False) + '\n').encode())
    return picture, record
