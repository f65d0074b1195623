"""Picture of a report: the seeds of each arm as points, and differences to the control with their intervals."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from eakd_det.lab.experiment.shown import answered_questions, shown_arms

_POINTS, _MEAN, _RULE = '#3b6ea5', '#c8501e', '#8a8a8a'
_SIZE = 11
_LABEL_WIDTH = 45  # characters, beyond which the label of an axis would end outside
QUESTIONS_CAPTION = (
    'Each row answers a question by the difference of two arms: each seed a point, with mean and 95 % interval. '
    'Right of 0 the answer is yes; an interval that contains 0 leaves it open.'
)


def draw(report: Mapping[str, Any]) -> Figure:
    """Draw the AP of every seed of every arm and the paired differences.

    Args:
        report: Result of :func:`eakd_det.lab.experiment.comparison.make_report`.
    """
    key, arms = _reference(report), shown_arms(report)
    figure = Figure(figsize=(12, 1.8 + 0.42 * len(arms)), layout='constrained')
    grid = figure.subplots(1, 2 if key else 1, sharey=True, squeeze=False)[0]
    _draw_points(grid[0], report)
    if key:
        pairs = [(arm['name'], report[key], arm[f'to_{key}'].get('AP')) for arm in arms]
        _draw_differences(grid[1], report, pairs)
        label = textwrap.fill(f'AP minus that of {_titles(report)[report[key]]}, points', _LABEL_WIDTH)
        grid[1].set_xlabel(label, fontsize=_SIZE)
    _name_rows(grid, [arm['title'] for arm in arms])
    return figure


def draw_questions(report: Mapping[str, Any]) -> Figure:
    """Draw the differences that answer the questions of the plan, at least one."""
    asked = answered_questions(report)
    figure = Figure(figsize=(12, 1.2 + 0.55 * len(asked)), layout='constrained')
    axes = figure.subplots()
    _draw_differences(axes, report, [(each['arm'], each['minus'], each['difference'].get('AP')) for each in asked])
    axes.set_xlabel('difference of AP on the same seeds, points', fontsize=_SIZE)
    titles = _titles(report)
    names = [f'{each["question"]}\n{titles[each["arm"]]} - {titles[each["minus"]]}' for each in asked]
    _name_rows([axes], names)
    return figure


def caption(report: Mapping[str, Any]) -> str:
    """Return the caption of the picture."""
    text = 'Left: the AP of each run (points) and the mean of each arm (bar)'
    if report['teacher'] and report['teacher']['status'] == 'finished':
        text += '; the teacher is a dashed line, or an arrow if it is far off'
    key = _reference(report)
    if key is None:
        return f'{text}.'
    title = _titles(report)[report[key]]
    return (
        f'{text}. Right: the difference to {title} on the same seeds, each seed a point, with mean and 95 % interval; '
        f'an interval that contains 0 does not separate the arm from {title}.'
    )


def svg(figure: Figure) -> str:
    """Return the figure as an SVG element for a page."""
    file = io.StringIO()
    FigureCanvasSVG(figure).print_svg(file, metadata=dict(Date=None, Creator=None, Format=None, Type=None))
    text = file.getvalue()
    return text[text.index('<svg') :]


def _reference(report: Mapping[str, Any]) -> str | None:
    """Return which arm the others are compared with: the control, or the student while the control has not run."""
    has_run = {arm['name'] for arm in report['arms'] if arm['values'].get('AP')}
    return next((key for key in ('control', 'student') if report[key] in has_run), None)


def _titles(report: Mapping[str, Any]) -> dict[str, str]:
    return {arm['name']: arm['title'] for arm in report['arms']}


def _draw_points(axes: Axes, report: Mapping[str, Any]) -> None:
    for row, arm in enumerate(shown_arms(report)):
        values = [100 * value for value in arm['values']['AP'].values()]
        axes.plot(values, [row] * len(values), 'o', color=_POINTS, alpha=0.7, markersize=7)
        if values:
            axes.plot([sum(values) / len(values)], [row], '|', color=_MEAN, markersize=20, markeredgewidth=3)
        else:
            axes.annotate('no finished run', (0.02, row), xycoords=('axes fraction', 'data'), va='center', color=_RULE)
    _draw_teacher(axes, report)
    axes.set_xlabel('AP on the validation data, %', fontsize=_SIZE)


def _draw_teacher(axes: Axes, report: Mapping[str, Any]) -> None:
    """Draw a line at the teacher's AP, or an arrow if it is too far from the arms."""
    teacher = report['teacher']
    if not teacher or teacher['metrics'].get('AP') is None:
        return
    ap = 100 * teacher['metrics']['AP']
    low, high = axes.get_xlim()
    is_far = ap > high + (high - low)
    if not is_far:
        axes.axvline(ap, color=_RULE, linestyle='--')
    axes.annotate(
        f'teacher {ap:.1f}{" →" if is_far else ""}',
        (1.0, 1.01) if is_far else (ap, 1.01),
        xycoords='axes fraction' if is_far else ('data', 'axes fraction'),
        va='bottom',
        ha='right',
        fontsize=_SIZE,
        color=_RULE,
    )


def _draw_differences(
    axes: Axes, report: Mapping[str, Any], pairs: Sequence[tuple[str, str, Mapping[str, Any] | None]]
) -> None:
    """Draw a row for each pair of arms: differences of each seed, their mean and interval."""
    values = {arm['name']: arm['values']['AP'] for arm in report['arms']}
    axes.axvline(0, color=_RULE)
    for row, (arm, minus, difference) in enumerate(pairs):
        if difference is None:
            continue
        points = [100 * (value - values[minus][seed]) for seed, value in values[arm].items() if seed in values[minus]]
        axes.plot(points, [row] * len(points), 'o', color=_POINTS, alpha=0.4, markersize=6)
        axes.plot([100 * difference['mean']], [row], 'o', color=_MEAN, markersize=8)
        if difference['low'] is not None:
            axes.plot([100 * difference['low'], 100 * difference['high']], [row, row], color=_MEAN, linewidth=2.5)


def _name_rows(grid: Sequence[Axes], names: Sequence[str]) -> None:
    grid[0].set_yticks(range(len(names)), names, fontsize=_SIZE)
    grid[0].set_ylim(len(names) - 0.5, -0.5)
    for axes in grid:
        axes.tick_params(axis='x', labelsize=_SIZE)
        axes.grid(axis='x', color='#e4e4e4')
        axes.set_axisbelow(True)
        axes.spines[['top', 'right']].set_visible(False)
