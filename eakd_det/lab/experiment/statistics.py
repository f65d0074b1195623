"""Means over seeds, and differences of arms that share them."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Mapping, Sequence

from scipy import stats


@dataclasses.dataclass(frozen=True)
class Spread:
    """Values over seeds.

    Attributes:
        mean: Their mean.
        std: Their standard deviation (n - 1); None of a single one.
        n: Their number.
    """

    mean: float
    std: float | None
    n: int


@dataclasses.dataclass(frozen=True)
class Difference:
    """A difference over seeds that two arms share.

    Attributes:
        mean: Mean of the differences.
        low: Lower end of the confidence interval; None with less than two seeds.
        high: Upper end.
        n: Number of seeds.
    """

    mean: float
    low: float | None
    high: float | None
    n: int


def spread(values: Sequence[float]) -> Spread | None:
    """Mean and standard deviation; None of nothing.

    Example:
        >>> spread([1.0, 2.0, 3.0])
        Spread(mean=2.0, std=1.0, n=3)
    """
    if not values:
        return None
    return Spread(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None, len(values))


def paired_difference(
    values: Mapping[int, float], baseline: Mapping[int, float], confidence: float = 0.95
) -> Difference | None:
    r"""The mean difference ``values - baseline`` over the seeds that both have, with Student's interval.

    .. math:: \bar d \pm t_{n-1} \, s_d / \sqrt n

    Pairing by seed takes out what a seed does to both arms alike (initial weights, batches). The interval takes the
    differences as drawn from a normal distribution.

    Args:
        values: By seed.
        baseline: By seed.
        confidence: Probability of the interval. Defaults to 0.95.

    Returns:
        The difference; None if they share no seed.

    Example:
        >>> difference = paired_difference({0: 3.0, 1: 4.0, 2: 6.0, 3: 1.0}, {0: 2.0, 1: 2.0, 2: 3.0})
        >>> difference.mean, difference.n, round(difference.low, 3), round(difference.high, 3)
        (2.0, 3, -0.484, 4.484)
    """
    seeds = sorted(set(values) & set(baseline))
    if not seeds:
        return None
    differences = [values[seed] - baseline[seed] for seed in seeds]
    low: float | None = None
    high: float | None = None
    if len(set(differences)) > 1:
        low, high = map(float, stats.ttest_1samp(differences, 0.0).confidence_interval(confidence))
    elif len(differences) > 1:  # no spread, of which the test makes NaN
        low = high = differences[0]
    return Difference(statistics.fmean(differences), low, high, len(differences))


def recovered_share(values: Mapping[int, float], student: Mapping[int, float], teacher: float) -> float | None:
    """Share of the gap between student and teacher that an arm closes: 0 is the student, 1 the teacher.

    Args:
        values: The arm's figures by seed.
        student: The plain student's.
        teacher: The teacher's.

    Returns:
        Means over the shared seeds set in proportion; None if they share none or the teacher is not better.

    Example:
        >>> recovered_share({0: 0.3, 1: 0.4}, {0: 0.2, 1: 0.2}, teacher=0.5)
        0.5
    """
    gain = paired_difference(values, student)
    base = spread([student[seed] for seed in sorted(set(values) & set(student))])
    if gain is None or base is None or teacher <= base.mean:
        return None
    return round(gain.mean / (teacher - base.mean), 6)
