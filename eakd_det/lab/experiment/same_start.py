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
        compared. ``warnings``: one line for every run that differs from most of its seed, or has no checksum.

    Example:
        >>> start = dict(student='a', batches='b', number_of_batches=8)
        >>> runs = [RunRecord(arm, 0, 'finished', start=start) for arm in ('student', 'kd')]
        >>> check_same_start(runs)
        {'same': True, 'seeds': 1, 'batches': 8, 'warnings': []}
    """
    warnings: list[str] = []
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
            warnings += _differing(known, seed)
    return dict(
        same=None if not compared else not warnings,
        seeds=len(compared),
        batches=min(counted, default=0),
        warnings=warnings,
    )


def _differing(runs: Sequence[RunRecord], seed: int) -> list[str]:
    lines = []
    for key, what in _WHAT.items():
        sums = Counter(run.start[key] for run in runs)
        usual, _ = sums.most_common(1)[0]
        others = [run.arm for run in runs if run.start[key] != usual]
        if others:
            rest = [run.arm for run in runs if run.start[key] == usual]
            lines.append(f'seed {seed}: the {what} of {", ".join(others)} differ from those of {", ".join(rest)}')
    return lines
