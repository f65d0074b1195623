"""Pictures of logits before and after standardisation (LS, Fig. 3 and 5, on proposals)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from eakd_det.lab.analysis.figures import BLUE, ORANGE, label, new_figure
from eakd_det.lab.analysis.logit_statistics import (
    class_difference,
    example_proposal,
    mean_and_std,
    standardized,
)
from eakd_det.lab.analysis.proposal_table import ProposalTable

SIDES = ('teacher', 'student')
_BINS = 40
_MAP_CAPTION = (
    "Each proposal's logits have a mean (horizontal) and a standard deviation (vertical); darker cells have more "
    'proposals (logarithmic). KD at a shared temperature asks the student for the standard deviation of the teacher; '
    'standardised logits all lie on the cross, mean 0 and standard deviation 1, whatever their size.'
)
_DIFFERENCE_CAPTION = (
    'Left: logits of one proposal, teacher and student, as they are and standardised. Right: difference of the mean '
    'logits of both networks, by assigned class (rows) and logit (columns), without the assigned class itself; grey: '
    'none. A student of LS may have small logits (a large difference) whose shape is that of the teacher (a small '
    'difference once standardised).'
)


def logits_of(table: ProposalTable, side: str) -> np.ndarray:
    """Return the logits of 'teacher' or 'student', ``(N, C)``, in float64."""
    return np.asarray(getattr(table, f'{side}_logits'), dtype=np.float64)


def map_logits(tables: Mapping[str, ProposalTable], bins: int = _BINS) -> dict[str, Any]:
    """Return the histograms of mean and standard deviation of all networks, over common bins.

    Returns:
        ``mean_edges`` and ``std_edges``, ``(bins + 1,)`` each, and ``counts``: by table and side, ``(bins, bins)``,
        means along the first axis.
    """
    points = {name: {side: mean_and_std(logits_of(table, side)) for side in SIDES} for name, table in tables.items()}
    every = [pair for sides in points.values() for pair in sides.values()]
    means = np.concatenate([[-0.1, 0.1], *(mean for mean, _ in every)])  # with the cross, 0 and 1
    stds = np.concatenate([[0.0, 1.1], *(std for _, std in every)])
    edges = np.linspace(means.min(), means.max(), bins + 1), np.linspace(0, stds.max() * (1 + 1e-9), bins + 1)
    counts = {
        name: {side: np.histogram2d(*pair, bins=edges)[0].astype(int).tolist() for side, pair in sides.items()}
        for name, sides in points.items()
    }
    return dict(mean_edges=edges[0].tolist(), std_edges=edges[1].tolist(), counts=counts)


def draw_map(found: Mapping[str, Any]) -> Figure:
    """Draw the histograms of :func:`map_logits`: a row for each table, teacher and student."""
    counts = found['counts']
    figure, panels = new_figure(
        'Mean and standard deviation of the logits',
        _MAP_CAPTION,
        len(counts),
        2,
        panel=(4.8, 3.4),
        sharex=True,
        sharey=True,
    )
    most = max(np.max(values) for sides in counts.values() for values in sides.values())
    mesh: Any = None
    for axes_row, (name, sides) in zip(panels, counts.items(), strict=True):
        for axes, (side, values) in zip(axes_row, sides.items(), strict=True):
            shown = np.ma.masked_equal(np.array(values).T, 0)
            norm = LogNorm(vmin=1, vmax=max(most, 2))
            mesh = axes.pcolormesh(found['mean_edges'], found['std_edges'], shown, norm=norm, cmap='cividis_r')
            axes.plot([0], [1], 'x', color=ORANGE, markersize=9, markeredgewidth=2.2, label='standardised')
            label(axes, 'mean of the logits', 'standard deviation of the logits', f'{name}: {side}')
    panels[0][0].legend(fontsize=8.5)
    figure.colorbar(mesh, ax=panels.ravel().tolist(), label='proposals')
    return figure


def compare_logits(table: ProposalTable) -> dict[str, Any]:
    """Return what :func:`draw_differences` draws of one table.

    Returns:
        ``proposal``: its index, assigned class and logits of both networks; ``difference``: mean and largest of
        :func:`class_difference`, and the matrix (None for NaN); both for ``raw`` and ``standardized``.
    """
    index = example_proposal(table)
    result: dict[str, Any] = dict(proposal=dict(index=index, label=int(table.labels[index])), difference={})
    for kind in ('raw', 'standardized'):
        logits = {side: logits_of(table, side) for side in SIDES}
        if kind == 'standardized':
            logits = {side: standardized(values) for side, values in logits.items()}
        result['proposal'][kind] = {side: values[index].tolist() for side, values in logits.items()}
        matrix = class_difference(logits['student'], logits['teacher'], table.labels)
        rows = [[None if np.isnan(value) else float(value) for value in row] for row in matrix]
        result['difference'][kind] = dict(mean=float(np.nanmean(matrix)), largest=float(np.nanmax(matrix)), matrix=rows)
    return result


def draw_differences(runs: Mapping[str, Mapping[str, Any]], classes: Sequence[str]) -> Figure:
    """Draw logits of one proposal and mean differences by class, a row of four panels for each run.

    Args:
        runs: Result of :func:`compare_logits` for each run.
        classes: Names of the classes, background included.
    """
    figure, panels = new_figure('Logits of teacher and student', _DIFFERENCE_CAPTION, len(runs), 4, panel=(3.9, 3.3))
    top = max(part['largest'] for run in runs.values() for part in run['difference'].values())
    for row, (name, run) in zip(panels, runs.items(), strict=True):
        for axes, kind in zip(row[:2], ('raw', 'standardized'), strict=True):
            title = f'{name}: a proposal of {classes[run["proposal"]["label"]]}, {_word(kind)}'
            _draw_bars(axes, run['proposal'][kind], classes, title)
        for axes, kind in zip(row[2:], ('raw', 'standardized'), strict=True):
            mesh = _draw_matrix(axes, run['difference'][kind], classes, top, f'{name}, {_word(kind)}')
        figure.colorbar(mesh, ax=row.tolist(), label='difference of mean logits')
    panels[0][0].legend(fontsize=8.5)
    return figure


def _word(kind: str) -> str:
    return 'as they are' if kind == 'raw' else 'standardised'


def _draw_bars(axes: Axes, logits: Mapping[str, Sequence[float]], classes: Sequence[str], title: str) -> None:
    positions = np.arange(len(classes))
    for side, shift, colour, hatch in (('teacher', -0.2, BLUE, ''), ('student', 0.2, ORANGE, '///')):
        axes.bar(positions + shift, logits[side], 0.4, color=colour, label=side, hatch=hatch, edgecolor='white')
    axes.axhline(0, color='black', linewidth=0.8)
    label(axes, 'class', 'logit', title)
    _name_classes(axes.set_xticks, classes)


def _draw_matrix(axes: Axes, found: Mapping[str, Any], classes: Sequence[str], top: float, title: str) -> Any:
    matrix = np.ma.masked_invalid(np.array(found['matrix'], dtype=float))
    axes.set_facecolor('#dddddd')
    mesh = axes.imshow(matrix, vmin=0, vmax=top, cmap='cividis_r', aspect='auto', interpolation='nearest')
    label(axes, 'logit of class', 'assigned class', f'{title}: mean {found["mean"]:.2f}, max {found["largest"]:.2f}')
    axes.grid(visible=False)
    _name_classes(axes.set_xticks, classes)
    _name_classes(axes.set_yticks, classes)
    return mesh


def _name_classes(set_ticks: Any, classes: Sequence[str]) -> None:
    step = max(1, len(classes) // 12)  # names of 81 classes would overlap
    shown = range(0, len(classes), step)
    is_x = set_ticks.__name__ == 'set_xticks'
    set_ticks(shown, [classes[index] for index in shown], fontsize=8, rotation=90 if is_x and len(classes) > 4 else 0)
