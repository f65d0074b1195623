"""Entropies and loss shares over training, from what :class:`eakd_det.lab.analysis.hooks.ProposalEntropyHook` wrote."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eakd_det.errors import ConfigError
from eakd_det.lab.analysis.figures import BLUE, ORANGE, label, new_figure
from eakd_det.lab.analysis.hooks import RECORD_NAME
from eakd_det.tables import markdown_table

Rows: TypeAlias = list[dict[str, Any]]
_POINTS = 60
_CURVES = 5
_QUARTILES = ('lowest', 'second', 'third', 'highest')
_ENTROPY_CAPTION = (
    "Left: mean entropy of both networks' class distributions at T' = {tau:g} over training; dashed: log C, the "
    'largest possible. Right: the mean entropy of the student among proposals of similar teacher entropy, '
    'early (dark) to late (bright). On the diagonal the student is as sure as the teacher; above it, it is still '
    'unsure where the teacher is sure.'
)
_SHARE_CAPTION = (
    'Proposals of each observed step in four groups of equal size by teacher entropy. Left: their shares of the '
    'divergence alone, with which plain KD would train this student. Right: the same with the weights of the run. '
    'Where the bright top layer is thicker on the right, the weight moved the loss to proposals that the teacher '
    'is unsure of.'
)


def read_rows(source: str | Path) -> Rows:
    """Return the lines of a record, oldest first; ``source`` is the file, or a work folder with one.

    Raises:
        ConfigError: If there is no record or it has nothing to draw.
    """
    path = Path(source)
    path = path / RECORD_NAME if path.is_dir() else path
    if not path.is_file():
        raise ConfigError(
            f'runs: expected a work folder with {RECORD_NAME}, but there is no file {path}; train with '
            "custom_hooks=[dict(type='eakd_det.ProposalEntropyHook')]"
        )
    try:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        rows.sort(key=lambda row: row['iter'])
        complete = all(name in row for row in rows for name in ('student', 'teacher', 'curve', 'losses', 'tau'))
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f'runs: expected lines of JSON from ProposalEntropyHook in {path} ({error})') from error
    if not rows or not complete:
        raise ConfigError(f'runs: expected lines from ProposalEntropyHook, but {path} has none')
    return rows


def draw_entropies(runs: Mapping[str, Rows]) -> Figure:
    """Draw student against teacher entropy over training, one row of panels per run (EA-KD, Fig. 3, on proposals)."""
    tau = next(iter(runs.values()))[0]['tau']
    title, caption = 'Entropies over training', _ENTROPY_CAPTION.format(tau=tau)
    figure, panels = new_figure(title, caption, len(runs), 2, panel=(4.8, 3.6))
    for (left, right), (name, rows) in zip(panels, runs.items(), strict=True):
        _draw_means(left, rows, name)
        _draw_curves(right, rows, name)
    return figure


def _draw_means(axes: Axes, rows: Rows, name: str) -> None:
    iterations = [row['iter'] for row in rows]
    for side, colour in (('student', ORANGE), ('teacher', BLUE)):
        for group, style in (('foreground', '-'), ('background', ':')):
            x, y = smooth(iterations, [row[side][group] for row in rows])
            axes.plot(x, y, style, color=colour, label=f'{side}, {group}')
    axes.axhline(math.log(rows[0]['classes']), color='black', linestyle='--', linewidth=0.8)
    axes.set_ylim(0, 1.05 * math.log(rows[0]['classes']))
    label(axes, 'iteration', 'mean entropy (nats)', name)
    axes.legend(fontsize=8)


def _draw_curves(axes: Axes, rows: Rows, name: str) -> None:
    upper = math.log(rows[0]['classes'])
    axes.plot([0, upper], [0, upper], '--', color='black', linewidth=0.8)
    groups = np.array_split(np.arange(len(rows)), min(_CURVES, len(rows)))
    colours = colormaps['viridis'](np.linspace(0, 0.92, len(groups)))
    for group, colour in zip(groups, colours, strict=True):
        first, last = rows[group[0]]['iter'], rows[group[-1]]['iter']
        curve = _mean_curve([rows[index]['curve'] for index in group])
        centres = (np.arange(len(curve)) + 0.5) * upper / len(curve)
        text = f'iteration {first}' + (f' to {last}' if last > first else '')
        axes.plot(centres, curve, '.-', color=colour, label=text)
    axes.set_xlim(0, upper)
    axes.set_ylim(0, 1.05 * upper)
    label(axes, 'entropy of the teacher (nats)', 'mean entropy of the student (nats)', name)
    axes.legend(fontsize=8)


def _mean_curve(curves: Sequence[Sequence[float | None]]) -> np.ndarray:
    values = np.ma.masked_invalid(np.array(curves, dtype=float))
    return np.ma.filled(values.mean(axis=0).astype(float), np.nan)


def draw_loss_shares(runs: Mapping[str, Rows], loss: str | None = None) -> Figure:
    """Draw the shares of the quartiles of teacher entropy in the loss, a row of panels for each run (EA-KD, Fig. 5).

    Args:
        runs: Lines of each run, by its name.
        loss: Name of the loss to draw. Defaults to None, the first of each run.

    Raises:
        ConfigError: If a run has no such loss.
    """
    figure, panels = new_figure('Share of the distillation loss', _SHARE_CAPTION, len(runs), 2, panel=(4.8, 3.3))
    for (left, right), (name, rows) in zip(panels, runs.items(), strict=True):
        chosen = loss_name(rows, loss, name)
        parts = [row['losses'][chosen] for row in rows if chosen in row['losses']]
        iterations = [row['iter'] for row in rows if chosen in row['losses']]
        for axes, key, text in ((left, 'plain_share', 'divergence alone'), (right, 'share', 'with the weights')):
            smoothed = [smooth(iterations, [part[key][group] for part in parts]) for group in range(4)]
            colours = colormaps['viridis']([0.08, 0.36, 0.64, 0.94])
            axes.stackplot(smoothed[0][0], *[y for _, y in smoothed], colors=colours, labels=_QUARTILES)
            axes.set_ylim(0, 1)
            axes.margins(x=0)
            label(axes, 'iteration', 'share of the loss (0 to 1)', f'{name}: {chosen}, {text}')
    handles, texts = panels[0][0].get_legend_handles_labels()
    figure.legend(
        handles[::-1], texts[::-1], title='quartile of\nteacher entropy', loc='outside right center', fontsize=8.5
    )
    return figure


def format_shares(runs: Mapping[str, Rows], loss: str | None = None) -> str:
    """Return the mean shares of the quartiles over each run, with and without the weights, in Markdown.

    Raises:
        ConfigError: If a run has no such loss.
    """
    lines = []
    for name, rows in runs.items():
        chosen = loss_name(rows, loss, name)
        parts = [row['losses'][chosen] for row in rows if chosen in row['losses']]
        for key, text in (('plain_share', 'divergence alone'), ('share', 'with the weights')):
            known = [part[key] for part in parts if None not in part[key]]
            means = np.mean(known, axis=0) if known else [float('nan')] * 4
            lines.append([f'{name}, {text}', *(f'{100 * share:.0f} %' for share in means)])
    return markdown_table(['share of the loss by quartile of teacher entropy', *_QUARTILES], lines)


def loss_name(rows: Rows, wanted: str | None, run: str) -> str:
    """Return the loss to draw: ``wanted``, or the first in the record.

    Raises:
        ConfigError: If there is none.
    """
    names = list(dict.fromkeys(name for row in rows for name in row['losses']))
    if not names or (wanted is not None and wanted not in names):
        raise ConfigError(f'--loss: expected one of {names or "no loss with weights"} in {run}, but got {wanted!r}')
    return wanted or names[0]


def smooth(x: Sequence[float], y: Sequence[float | None], points: int = _POINTS) -> tuple[np.ndarray, np.ndarray]:
    """Return means of neighbours, at most ``points`` of them; None is left out.

    Example:
        >>> [values.tolist() for values in smooth([1, 2, 3, 4], [1.0, 3.0, None, 5.0], points=2)]
        [[1.5, 4.0], [2.0, 5.0]]
    """
    known = np.array([pair for pair in zip(x, y, strict=True) if pair[1] is not None], dtype=float).reshape(-1, 2)
    block = max(1, math.ceil(len(known) / points))
    means = [known[start : start + block].mean(axis=0) for start in range(0, len(known), block)]
    smoothed = np.array(means).reshape(-1, 2)
    return smoothed[:, 0], smoothed[:, 1]
