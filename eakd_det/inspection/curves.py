"""Training curves from the files that MMEngine's logger writes."""

from __future__ import annotations

import json
from pathlib import Path

Curve = list[tuple[int, float]]
SHOWN = {'loss': 'loss', 'coco/bbox_mAP': 'AP'}


def read_curves(folder: Path) -> dict[str, Curve]:
    """Return 'loss' and 'AP' of a run over its iterations; after a resume, the later values.

    Args:
        folder: The work folder, with ``<time>/vis_data/scalars.json``.
    """
    found: dict[str, dict[int, float]] = {name: {} for name in SHOWN.values()}
    for path in sorted(folder.glob('*/vis_data/scalars.json')):
        for line in path.read_text().split('\n'):
            try:
                row = json.loads(line)
            except ValueError:  # empty, or cut off when the process was killed
                continue
            for key, name in SHOWN.items():
                if isinstance(row.get(key), (int, float)) and isinstance(row.get('step'), int):
                    found[name][row['step']] = float(row[key])
    return {name: sorted(values.items()) for name, values in found.items() if values}
