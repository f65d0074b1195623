"""How much the AP varies over the arms of a sweep, such as DKD with several values of beta (EA-KD, Fig. 8)."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from eakd_det.lab.experiment.statistics import spread

SWEEP_NOTE = (
    "Sweeps: the variance of the arms' means is the figure that the EA-KD paper prints for beta. The variance within a "
    'seed, its mean ± standard deviation over seeds, includes the noise of single runs. Both are over arms (n - 1), in '
    'squared points of AP.'
)


def sweep_variance(values: Mapping[str, Mapping[int, float]]) -> dict[str, Any]:
    r"""Return mean, range and variance of the AP over the arms of a sweep, on the seeds that all of them finished.

    With AP :math:`a_{js}` of arm :math:`j` and seed :math:`s`, ``variance`` is :math:`\mathrm{var}_j(\bar a_j)`, and
    ``variance_of_seed`` the spread over seeds of :math:`\mathrm{var}_j(a_{js})`, both with :math:`n - 1`.

    Args:
        values: AP of each arm as fractions, by seed.

    Returns:
        ``arms``, ``seeds`` (their number), ``mean``, ``low`` and ``high`` (of the arms' means), ``variance``, and
        ``variance_of_seed`` as mean and std; without a common seed all but ``arms`` and ``seeds`` are None.

    Example:
        >>> found = sweep_variance({'beta-1': {0: 0.30, 1: 0.32}, 'beta-2': {0: 0.32, 1: 0.32}, 'beta-4': {0: 0.34}})
        >>> found['seeds'], found['mean'], found['low'], found['high'], found['variance']
        (1, 0.32, 0.3, 0.34, 0.0004)
    """
    seeds = sorted(set.intersection(*(set(each) for each in values.values())))
    found: dict[str, Any] = dict(arms=list(values), seeds=len(seeds))
    if not seeds:
        return found | dict.fromkeys(('mean', 'low', 'high', 'variance', 'variance_of_seed'))
    means = [statistics.fmean(each[seed] for seed in seeds) for each in values.values()]
    within = spread([statistics.variance(each[seed] for each in values.values()) for seed in seeds])
    return found | dict(
        mean=round(statistics.fmean(means), 6),
        low=round(min(means), 6),
        high=round(max(means), 6),
        variance=round(statistics.variance(means), 10),
        variance_of_seed=within and dict(mean=round(within.mean, 10), std=within.std and round(within.std, 10)),
    )


def sweep_cells(report: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of the sweeps with a seed that all of their arms finished.

    Args:
        report: Result of :func:`eakd_det.lab.experiment.comparison.make_report`.
    """
    headings = ['sweep', 'arms', 'AP, mean over arms (range)', "variance of the arms' means", 'variance within a seed']
    rows = []
    for sweep in report.get('sweeps', []):
        if not sweep['seeds']:
            continue
        low, high, mean = (f'{100 * sweep[key]:.1f}' for key in ('low', 'high', 'mean'))
        within, std = sweep['variance_of_seed']['mean'], sweep['variance_of_seed']['std']
        rows.append(
            [
                sweep['name'],
                str(len(sweep['arms'])),
                f'{mean} ({low} to {high})',
                f'{1e4 * sweep["variance"]:.2f}',
                f'{1e4 * within:.2f}' + ('' if std is None else f' ± {1e4 * std:.2f}'),
                str(sweep['seeds']),
            ]
        )
    return [*headings, 'seeds'], rows
