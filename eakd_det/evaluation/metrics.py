"""The six COCO figures under the names used in papers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

COCO_METRICS = {
    'AP': 'bbox_mAP',
    'AP50': 'bbox_mAP_50',
    'AP75': 'bbox_mAP_75',
    'APs': 'bbox_mAP_s',
    'APm': 'bbox_mAP_m',
    'APl': 'bbox_mAP_l',
}


def coco_figures(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """Return AP, AP50, AP75, APs, APm and APl, as fractions, from an evaluator's metrics.

    ``CocoMetric`` rounds them to three decimals and returns -1 if the data has no box of that size. Such a figure is
    None, like one that was not measured.

    Example:
        >>> coco_figures({'coco/bbox_mAP': 0.378, 'coco/bbox_mAP_50': 0.58, 'coco/bbox_mAP_l': -1.0})
        {'AP': 0.378, 'AP50': 0.58, 'AP75': None, 'APs': None, 'APm': None, 'APl': None}
    """
    by_name = {key.split('/')[-1]: float(value) for key, value in metrics.items() if _is_number(value)}
    return {figure: None if by_name.get(name, -1.0) < 0 else by_name[name] for figure, name in COCO_METRICS.items()}


def measured_figures(metrics: Mapping[str, float] | None, evaluator: Any) -> dict[str, float | None]:
    """Return :func:`coco_figures` of a finished evaluation, with AP 0 if there was no detection at all.

    ``CocoMetric`` returns no metrics in that case. Leaving such runs out of a comparison would favour methods that make
    training collapse.

    Args:
        metrics: The evaluator's result.
        evaluator: The evaluator. Metrics with ``format_only`` write files and measure nothing, so nothing becomes 0.

    Example:
        >>> measured_figures({}, None)
        {'AP': 0.0, 'AP50': 0.0, 'AP75': 0.0, 'APs': None, 'APm': None, 'APl': None}
    """
    figures = coco_figures(metrics or {})
    if metrics or any(getattr(metric, 'format_only', False) for metric in getattr(evaluator, 'metrics', ())):
        return figures
    return {**figures, 'AP': 0.0, 'AP50': 0.0, 'AP75': 0.0}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and value == value


def format_table(
    rows: Sequence[tuple[str, Mapping[str, float | None]]],
    columns: Sequence[str] = tuple(COCO_METRICS),
    heading: str = '',
) -> str:
    """Format results as a Markdown table with aligned columns.

    Args:
        rows: Name and figures of each row; fractions are printed in percent with one decimal, missing ones as a dash.
        columns: The figures to print, in order.
        heading: Heading of the first column.

    Example:
        >>> print(format_table([('teacher', {'AP': 0.5}), ('student', {'AP': 0.378, 'AP50': None})], ['AP', 'AP50']))
        |         |   AP | AP50 |
        | :------ | ---: | ---: |
        | teacher | 50.0 |    - |
        | student | 37.8 |    - |
    """
    cells = [[name, *(_percent(figures.get(column)) for column in columns)] for name, figures in rows]
    table = [[heading, *columns], *cells]
    widths = [max(4, *(len(line[index]) for line in table)) for index in range(len(columns) + 1)]
    rule = [':' + '-' * (widths[0] - 1), *('-' * (width - 1) + ':' for width in widths[1:])]
    aligned = [
        [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        for line in table
    ]
    return '\n'.join(f'| {" | ".join(line)} |' for line in (aligned[0], rule, *aligned[1:]))


def _percent(figure: float | None) -> str:
    return '-' if figure is None else f'{100 * figure:.1f}'
