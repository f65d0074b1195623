"""What of a report has something to show: arms that were started, questions that can be answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def shown_arms(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the arms of which a run was started, or whose published numbers are known.

    Args:
        report: What :func:`eakd_det.lab.experiment.comparison.make_report` gives.

    Example:
        >>> arms = [dict(name=str(n), runs=dict(planned=2, missing=n), published=None) for n in (1, 2)]
        >>> [arm['name'] for arm in shown_arms(dict(arms=arms))]
        ['1']
    """
    return [arm for arm in report['arms'] if arm['published'] or not _is_idle(arm)]


def idle_arms(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the arms of which no run was started."""
    return [arm for arm in report['arms'] if _is_idle(arm)]


def answered_questions(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the questions whose two arms have a seed in common that both finished."""
    return [asked for asked in report['questions'] if any(asked['difference'].values())]


def _is_idle(arm: Mapping[str, Any]) -> bool:
    return bool(arm['runs'].get('missing', 0) == arm['runs']['planned'])
