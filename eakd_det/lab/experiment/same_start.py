"""Check by checksums that the arms of a seed started from the same student and got the same batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from eakd_det.lab.experiment.records import RunRecord

_WHAT = {'student': 'initial student weights', 'batches': 'first batches'}


def check_same_start(records: Sequence[RunRecord]) -> dict[str, Any]:
    """Compare the checksums of the runs of each seed.

    Args:
        records: The records; those of unfinished runs are ignored.

    Returns:
        ``same``: True, False, or None where no two runs can be compared. ``seeds`` and ``batches``: how many were
        compared. ``warnings``: one line for all seeds in which the same arms differ from most of their seed, as an arm
        with ``model.inherit`` does in each, and one for every run without a checksum.

    Example:
        >>> start = dict(student='a', batches='b', number_of_batches=8)
        >>> runs = [RunRecord(arm, 0, 'finished', start=start) for arm in ('student', 'kd')]
        >>> check_same_start(runs)
        {'same': True, 'seeds': 1, 'batches': 8, 'warnings': []}
    """
    warnings: list[str] = []
    differing: dict[str, list[int]] = {}
    counted: set[int] = set()
    compared: list[int] = []
    finished = [record for record in records if record.status == 'finished']
    for seed in sorted({record.seed for record in finished}):
        runs = [record for record in finished if record.seed == seed]
        known = [record for record in runs if all(record.start.get(key) for key in _WHAT)]
        warnings += [f'{run.arm}, seed {seed}: has no checksums of its start' for run in runs if run not in known]
        if len(known) > 1:
            compared.append(seed)
            counted |= {run.start.get('number_of_batches', 0) for run in known}
            for what in _differing(known):
                differing.setdefault(what, []).append(seed)
    warnings += [
        f'{what} ({"seed" if len(seeds) == 1 else "seeds"} {", ".join(map(str, seeds))})'
        for what, seeds in differing.items()
    ]
    return dict(
        same=None if not compared else not warnings,
        seeds=len(compared),
        batches=min(counted, default=0),
        warnings=warnings,
    )


def _differing(runs: Sequence[RunRecord]) -> list[str]:
    lines = []
    for key, what in _WHAT.items():
        sums = Counter(run.start[key] for run in runs)
        usual, _ = sums.most_common(1)[0]
        others = [run.arm for run in runs if run.start[key] != usual]
        if others:
            rest = [run.arm for run in runs if run.start[key] == usual]
            lines.append(f'the {what} of {", ".join(others)} differ from those of {", ".join(rest)}')
    return lines
