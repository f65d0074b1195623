"""Plot for ``benchmark_scaling.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure


def plot(by_images: list[dict[str, Any]], by_rois: list[dict[str, Any]], title: str, path: Path) -> Figure:
    """Plot overhead against images per batch and proposals per image, as medians with minimum and maximum."""
    figure = Figure(figsize=(9, 3.8), layout='constrained')
    left, right = figure.subplots(1, 2, sharey=True)
    _panel(left, [row['images'] for row in by_images], by_images, 'images per batch (512 proposals each)')
    _panel(right, [row['rois'] for row in by_rois], by_rois, 'proposals sampled (one image)')
    left.set_ylabel('overhead')
    left.set_ylim(0, max(1.2, 1.1 * max(row['overhead']['max'] for row in [*by_images, *by_rois])))
    figure.suptitle(
        f'EA-KD with default options, {title}\n'
        'overhead = (EA-KD step - plain step) ÷ teacher forward in float32 as MMDetection builds it',
        fontsize=11,
    )
    figure.savefig(path, dpi=130)
    return figure


def _panel(axes: Axes, sizes: list[int], rows: list[dict[str, Any]], label: str) -> None:
    median = [row['overhead']['median'] for row in rows]
    below = [row['overhead']['median'] - row['overhead']['min'] for row in rows]
    above = [row['overhead']['max'] - row['overhead']['median'] for row in rows]
    axes.errorbar(sizes, median, yerr=[below, above], marker='o', capsize=4)
    for size, value in zip(sizes, median, strict=True):
        axes.annotate(f'{value:.2f}', (size, value), textcoords='offset points', xytext=(6, 8))
    axes.axhline(1.0, color='grey', linestyle='--', linewidth=1)
    axes.set_xscale('log', base=2)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set_xlabel(label)
