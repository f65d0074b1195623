"""The parts of a report with content: started arms, answered questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def shown_arms(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the arms with a started run or published numbers.

    Args:
        report: Result of :func:`eakd_det.lab.experiment.comparison.make_report`.

    Example:
        >>> arms = [dict(name=str(n), runs=dict(planned=2, missing=n), published=None) for n in (1, 2)]
        >>> [arm['name'] for arm in shown_arms(dict(arms=arms))]
        ['1']
    """
    return [arm for arm in report['arms'] if arm['published'] or not _is_idle(arm)]


def idle_arms(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the arms without a started run."""
    return [arm for arm in report['arms'] if _is_idle(arm)]


def answered_questions(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the questions whose two arms have a finished seed in common."""
    return [asked for asked in report['questions'] if any(asked['difference'].values())]


def _is_idle(arm: Mapping[str, Any]) -> bool:
    return bool(arm['runs'].get('missing', 0) == arm['runs']['planned'])
