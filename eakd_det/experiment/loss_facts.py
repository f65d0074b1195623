"""How large the distillation loss of a run was and where its weights lay, from what the run logged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FACTS = {
    'foreground_weight': '.fg_weight',
    'background_weight': '.bg_weight',
    'distillation_to_detection': '.ratio_to_detection',
}


def loss_facts(folder: Path) -> dict[str, float]:
    """Means over the lines of a run's log.

    Args:
        folder: The work folder of the run; a resumed run has several logs in it.

    Returns:
        ``foreground_weight`` and ``background_weight``, the mean weights of proposals with an object and of the others
        (of the first loss with weights of proposals), and ``distillation_to_detection``, the ratio of the losses; what
        was not logged is left out.
    """
    lines = [line for log in sorted(folder.glob('*/vis_data/scalars.json')) for line in _lines(log)]
    facts = {}
    for name, ending in FACTS.items():
        key = next((key for line in lines for key in line if key.startswith('distill.') and key.endswith(ending)), None)
        values = [line[key] for line in lines if key is not None and isinstance(line.get(key), (int, float))]
        if values:
            facts[name] = round(sum(values) / len(values), 4)
    return facts


def _lines(log: Path) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for text in log.read_text(errors='replace').splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue  # the last line of a run that was killed
        if isinstance(line, dict):
            found.append(line)
    return found
