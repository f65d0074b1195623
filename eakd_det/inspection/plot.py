"""AP against time, a point for each detector."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from eakd_det.files import write_atomically
from eakd_det.inspection.measuring import Measured

_COLOURS = {False: '#1f77b4', True: '#ff7f0e'}


def plot_ap_against_time(rows: Sequence[Measured], path: Path) -> None:
    """Draw AP in percent against milliseconds per photo; rows without AP are left out.

    Args:
        rows: The detectors.
        path: File to write, a PNG.
    """
    figure = Figure(figsize=(6.4, 4.2), dpi=120, layout='constrained')
    axes = figure.subplots()
    shown = [row for row in rows if row.ap is not None]
    for row in shown:
        axes.plot(row.milliseconds, 100 * float(row.ap or 0), 'o', markersize=9, color=_COLOURS[row.exported])
        right = row.milliseconds > sum(other.milliseconds for other in shown) / len(shown)
        side: dict[str, Any] = dict(xytext=(-8, 6), ha='right') if right else dict(xytext=(8, 6), ha='left')
        axes.annotate(
            row.name, (row.milliseconds, 100 * float(row.ap or 0)), fontsize=9, textcoords='offset points', **side
        )
    axes.set_xlabel('milliseconds per photo, one at a time (lower is better)')
    axes.set_ylabel('AP on the validation photos, in %')
    axes.grid(alpha=0.3)
    axes.margins(0.15)
    axes.set_xlim(left=0)
    content = io.BytesIO()
    figure.savefig(content, format='png')
    write_atomically(path, content.getvalue())
