"""The six COCO figures under the names that papers print, out of what ``CocoMetric`` calls them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eakd_det.tables import markdown_table

COCO_METRICS = {
    'AP': 'bbox_mAP',
    'AP50': 'bbox_mAP_50',
    'AP75': 'bbox_mAP_75',
    'APs': 'bbox_mAP_s',
    'APm': 'bbox_mAP_m',
    'APl': 'bbox_mAP_l',
}


def coco_figures(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """AP, AP50, AP75, APs, APm and APl (fractions, as COCO prints them) out of an evaluator's metrics.

    ``CocoMetric`` rounds them to three decimals and gives -1 where the data has no box of that size; that becomes
    None, and so does a figure that was not measured.

    Example:
        >>> coco_figures({'coco/bbox_mAP': 0.378, 'coco/bbox_mAP_50': 0.58, 'coco/bbox_mAP_l': -1.0})
        {'AP': 0.378, 'AP50': 0.58, 'AP75': None, 'APs': None, 'APm': None, 'APl': None}
    """
    by_name = {key.split('/')[-1]: float(value) for key, value in metrics.items() if _is_number(value)}
    return {figure: None if by_name.get(name, -1.0) < 0 else by_name[name] for figure, name in COCO_METRICS.items()}


def measured_figures(metrics: Mapping[str, float] | None, evaluator: Any) -> dict[str, float | None]:
    """Return :func:`coco_figures` of an evaluation that has taken place; no detection at all is AP 0.

    ``CocoMetric`` gives nothing when the detector found nothing on any image. To leave such a run out of a comparison
    would favour methods that make a training collapse.

    Args:
        metrics: What the evaluator gave.
        evaluator: The evaluator, whose ``metrics`` may only write files (``format_only``) and then measure nothing.

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
    """A Markdown table of results, aligned so that it reads well in a terminal, too.

    Args:
        rows: What each row is called, and its figures as fractions; printed in percent with one decimal. What is
            None or absent is printed as a dash.
        columns: Which figures, in order.
        heading: Heading of the first column.

    Example:
        >>> print(format_table([('teacher', {'AP': 0.5}), ('student', {'AP': 0.378, 'AP50': None})], ['AP', 'AP50']))
        |         |   AP | AP50 |
        | :------ | ---: | ---: |
        | teacher | 50.0 |    - |
        | student | 37.8 |    - |
    """
    cells = [[name, *(_percent(figures.get(column)) for column in columns)] for name, figures in rows]
    return markdown_table([heading, *columns], cells, aligned=True)


def _percent(figure: float | None) -> str:
    return '-' if figure is None else f'{100 * figure:.1f}'
