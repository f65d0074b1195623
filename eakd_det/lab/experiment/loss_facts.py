"""Size of a run's distillation loss and distribution of its weights, from the log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eakd_det.distillation.statistics import STATISTICS_ITER

FACTS = {
    'foreground_weight': '.fg_weight',
    'background_weight': '.bg_weight',
    'distillation_to_detection': '.ratio_to_detection',
}
_ITER = f'distill.{STATISTICS_ITER}'


def loss_facts(folder: Path) -> dict[str, float]:
    """Return means over the iterations of a run, from its log.

    Each reading of the statistics (:class:`eakd_det.distillation.statistics.ProposalStatistics`) is the mean over the
    iterations since the reading before, and is weighted by their number. The first one, of iteration 1 alone, is part
    of the second. A line that repeats a reading, as at the end of an epoch, is ignored.

    Args:
        folder: The work folder of the run; a resumed run has several logs in it.

    Returns:
        ``foreground_weight`` and ``background_weight``, the mean weights of proposals with an object and of the others
        (of the first loss with weights of proposals), and ``distillation_to_detection``, the ratio of the losses;
        values that were not logged are left out.
    """
    lines = [line for log in sorted(folder.glob('*/vis_data/scalars.json')) for line in _lines(log)]
    readings = {line[_ITER]: line for line in lines if isinstance(line.get(_ITER), (int, float))}
    if len(readings) > 1:
        readings.pop(1, None)
    iterations = sorted(readings)
    counts = [end - start for start, end in zip([0, *iterations], iterations, strict=False)]
    facts = {}
    for name, ending in FACTS.items():
        key = next((key for line in lines for key in line if key.startswith('distill.') and key.endswith(ending)), None)
        values = [(readings[end].get(key or ''), count) for end, count in zip(iterations, counts, strict=True)]
        found = [(value, count) for value, count in values if isinstance(value, (int, float))]
        if found:
            facts[name] = round(sum(value * count for value, count in found) / sum(count for _, count in found), 4)
    return facts


def _lines(log: Path) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for text in log.read_text(errors='replace').splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue  # last line of a killed run
        if isinstance(line, dict):
            found.append(line)
    return found
