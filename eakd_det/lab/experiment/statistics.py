"""Means over seeds, and paired differences of arms."""

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
        std: Their standard deviation (n - 1); None for a single value.
        n: Their number.
    """

    mean: float
    std: float | None
    n: int


@dataclasses.dataclass(frozen=True)
class Difference:
    """A difference of two arms over their common seeds.

    Attributes:
        mean: Mean of the differences.
        low: Lower end of the confidence interval; None with fewer than two seeds.
        high: Upper end.
        n: Number of seeds.
    """

    mean: float
    low: float | None
    high: float | None
    n: int


def spread(values: Sequence[float]) -> Spread | None:
    """Return mean and standard deviation; None without values.

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
    r"""Return the mean difference ``values - baseline`` over the common seeds, with Student's interval.

    .. math:: \bar d \pm t_{n-1} \, s_d / \sqrt n

    Pairing by seed removes the effects of a seed on both arms (initial weights, batches). The interval assumes that the
    differences are normally distributed.

    Args:
        values: Values by seed.
        baseline: Values of the baseline by seed.
        confidence: Probability of the interval. Defaults to 0.95.

    Returns:
        The difference; None without a common seed.

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
    elif len(differences) > 1:  # without spread, the test returns NaN
        low = high = differences[0]
    return Difference(statistics.fmean(differences), low, high, len(differences))


def recovered_share(values: Mapping[int, float], student: Mapping[int, float], teacher: float) -> float | None:
    """Return the share of the gap between student and teacher that an arm closes: 0 is the student, 1 the teacher.

    Args:
        values: The arm's figures by seed.
        student: The plain student's.
        teacher: The teacher's.

    Returns:
        Ratio of the means over the common seeds; None without any, or if the teacher is not better.

    Example:
        >>> recovered_share({0: 0.3, 1: 0.4}, {0: 0.2, 1: 0.2}, teacher=0.5)
        0.5
    """
    gain = paired_difference(values, student)
    base = spread([student[seed] for seed in sorted(set(values) & set(student))])
    if gain is None or base is None or teacher <= base.mean:
        return None
    return round(gain.mean / (teacher - base.mean), 6)
