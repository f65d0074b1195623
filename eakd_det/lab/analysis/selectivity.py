r"""Selectivity of the weight against the temperature T' of its entropies, and a T' to use.

With weights :math:`w_n` of :math:`N` proposals, their mean :math:`\bar w` and population standard deviation
:math:`\sigma`:

.. math:: \mathrm{CV} = \sigma / \bar w, \qquad
    \text{effective share} = \frac{(\sum_n w_n)^2}{N \sum_n w_n^2} = \frac{1}{1 + \mathrm{CV}^2}
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from eakd_det.arguments import Positive, require
from eakd_det.errors import ConfigError
from eakd_det.lab.analysis.proposal_table import ProposalTable

TAUS = tuple(float(tau) for tau in np.arange(0.5, 6.01, 0.25))
MIN_CV = 0.5


@dataclasses.dataclass(frozen=True)
class Selectivity:
    """Statistics of the weights at one T'; None where a number is undefined (no errors, no background).

    Args:
        tau: T'.
        mean: Mean weight.
        cv: Coefficient of variation: standard deviation over mean.
        effective_share: Share of the proposals that would carry as much information at equal weight (Kish).
        foreground_mean: Mean weight of proposals with an object.
        background_mean: Mean weight of the others.
        background_weight: Share of all weight that is on background.
        teacher_error_ratio: Mean weight of proposals the teacher gets wrong over that of those it gets right.
        teacher_error_correlation: Pearson correlation of the weight with being wrong (0 or 1).
        student_error_ratio: As ``teacher_error_ratio``, for the student.
    """

    tau: float
    mean: float
    cv: float
    effective_share: float
    foreground_mean: float | None
    background_mean: float | None
    background_weight: float
    teacher_error_ratio: float | None
    teacher_error_correlation: float | None
    student_error_ratio: float | None


@dataclasses.dataclass(frozen=True)
class Recommendation:
    """A T' to use, and the reason.

    Args:
        tau: The largest T' whose CV is at least ``min_cv``.
        min_cv: The criterion.
        loss_weight: Factor that brings the mean weight to 1, which is that of plain KD.
        reason: The same in words.
        is_selective: Whether a T' meets the criterion; else ``tau`` is the smallest that was tried.
    """

    tau: float
    min_cv: float
    loss_weight: float
    reason: str
    is_selective: bool = True


def measure(
    weights: np.ndarray, is_foreground: np.ndarray, teacher_errs: np.ndarray, student_errs: np.ndarray, tau: float
) -> Selectivity:
    """Measure the weights of one T'; all arrays are ``(N,)``.

    Example:
        >>> weights = np.array([1.0, 1.0, 1.0, 5.0])
        >>> is_wrong = np.array([False, False, False, True])
        >>> result = measure(weights, ~is_wrong, is_wrong, is_wrong, tau=3.0)
        >>> result.mean, round(result.cv, 3), result.background_weight, result.teacher_error_ratio
        (2.0, 0.866, 0.625, 5.0)
    """
    weights = weights.astype(np.float64)
    mean, std, total = weights.mean(), weights.std(), weights.sum()
    positive = total > 0
    cv = float(std / mean) if positive else 0.0
    return Selectivity(
        tau=float(tau),
        mean=float(mean),
        cv=cv,
        effective_share=1 / (1 + cv * cv),
        foreground_mean=_mean(weights[is_foreground]),
        background_mean=_mean(weights[~is_foreground]),
        background_weight=float(weights[~is_foreground].sum() / total) if positive else 0.0,
        teacher_error_ratio=_ratio(weights, teacher_errs),
        teacher_error_correlation=_correlation(weights, teacher_errs),
        student_error_ratio=_ratio(weights, student_errs),
    )


def sweep(table: ProposalTable, taus: Sequence[float] = TAUS, mode: str = 'ea') -> list[Selectivity]:
    """Measure the weights of each T' in ``taus``, in ascending order."""
    facts = table.is_foreground, table.teacher_errs, table.student_errs
    return [
        measure(table.weights(require('--taus', tau, Positive), mode), *facts, tau=tau) for tau in sorted(set(taus))
    ]


def recommend(rows: Sequence[Selectivity], min_cv: float = MIN_CV) -> Recommendation:
    """Return the largest T' at which the weights still vary by at least ``min_cv`` of their mean.

    A smaller T' selects more and lets fewer proposals count: as many as 80 % of them at equal weight for a CV of 0.5,
    50 % for 1, 26 % for 1.67. A larger T' approaches a uniform weight, that of ``MeanMatchedWeighting``. So this is the
    mildest weight that still selects. The criterion does not predict AP.

    Args:
        rows: Statistics for each T'.
        min_cv: Smallest CV.

    Raises:
        ConfigError: If there are no rows, or ``min_cv`` is not above 0.

    Example:
        >>> rows = [measure(np.array([1.0, 3.0]), *[np.array([True, False])] * 3, tau=2.0)]
        >>> recommend(rows).tau, recommend(rows).loss_weight
        (2.0, 0.5)
    """
    require('--min-cv', min_cv, Positive)
    if not rows:
        raise ConfigError("--taus: expected at least one T', but got none")
    chosen = max((row for row in rows if row.cv >= min_cv), key=lambda row: row.tau, default=None)
    if chosen is None:
        row = min(rows, key=lambda row: row.tau)
        reason = f"no T' of {row.tau:g} or more has a CV of {min_cv:g}: try smaller ones, or leave EA"
    elif chosen.tau == max(row.tau for row in rows):
        row, reason = chosen, f"the largest T' tried still has a CV of {chosen.cv:.2f}, at least {min_cv:g}"
    else:
        row, reason = chosen, f"the largest T' with a CV of at least {min_cv:g}"
    return Recommendation(row.tau, min_cv, 1 / row.mean if row.mean > 0 else 1.0, reason, chosen is not None)


def errors_in_words(rows: Sequence[Selectivity], tau: float | None) -> str | None:
    """Describe the T' at which the weight follows the teacher's errors best, and its relation to ``tau``.

    Args:
        rows: One for each T'.
        tau: The recommended T'; None if there is none.

    Returns:
        One or two sentences; None if the teacher makes no errors or nothing but errors.

    Example:
        >>> wrong = np.array([False, True])
        >>> rows = [measure(weights, wrong, wrong, wrong, tau) for weights, tau in
        ...         ((np.array([1.0, 1.1]), 1.0), (np.array([2.0, 1.0]), 2.0))]
        >>> errors_in_words(rows, 2.0)
        "The weight follows the teacher's errors best at T' = 1, the smallest tried."
    """
    known = [(row.teacher_error_correlation, row.tau) for row in rows if row.teacher_error_correlation is not None]
    if not known:
        return None
    correlation, best = max(known)
    if correlation <= 0:
        return f"At none of these T' does the weight follow the teacher's errors (best correlation {correlation:.2f})."
    taus = [row.tau for row in rows]
    edge = {min(taus): ', the smallest tried', max(taus): ', the largest tried'}
    text = f"The weight follows the teacher's errors best at T' = {best:g}{edge.get(best, '')}."
    if tau is not None and tau < best:
        text += f" T' = {tau:g} only makes it more unequal; to follow the errors, use {best:g}."
    return text


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def _ratio(weights: np.ndarray, errs: np.ndarray) -> float | None:
    wrong, right = _mean(weights[errs]), _mean(weights[~errs])
    return wrong / right if wrong is not None and right else None


def _correlation(weights: np.ndarray, errs: np.ndarray) -> float | None:
    if weights.std() == 0 or errs.all() or not errs.any():
        return None
    return float(np.corrcoef(weights, errs.astype(np.float64))[0, 1])
