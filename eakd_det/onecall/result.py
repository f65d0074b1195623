"""What one call returns: the detector, its figures, and where everything is."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eakd_det.cli.run_results import SEED_NOISE, WEAK_TEACHER
from eakd_det.tables import markdown_table

if TYPE_CHECKING:
    from eakd_det.export import Detector

Figures = Mapping[str, float | None]
TITLES = {'teacher': 'teacher', 'student': 'student', 'distilled': 'distilled student'}
_SHOWN = ('AP', 'AP50', 'AP75')


@dataclass(frozen=True)
class Distilled:
    """A distilled student.

    Attributes:
        metrics: AP, AP50, AP75, APs, APm and APl on the validation photos, as fractions, and ``seconds`` and
            ``memory_mib`` of the training where it ran here, for 'teacher', 'student' (without a teacher) and
            'distilled'.
        paths: ``folder``, and as far as they exist the ``config`` that was run (complete), the ``weights``, the plain
            detector's ``student_config`` for stock MMDetection, the ``picture`` and the ``table``.
    """

    metrics: Mapping[str, Figures]
    paths: Mapping[str, Path]

    @functools.cached_property
    def detector(self) -> Detector:
        """The distilled student, loaded on first use."""
        from eakd_det.export import Detector

        return Detector.load(self.paths['folder'])

    @property
    def table(self) -> str:
        """The table of the metrics, in Markdown."""
        return results_table(self.metrics)


def remarks(metrics: Mapping[str, Figures]) -> str:
    """Return what the table's figures are worth.

    Example:
        >>> 'not above the plain student' in remarks({'teacher': {'AP': 0.2}, 'student': {'AP': 0.3}})
        True
    """
    sentences = [
        'AP on the validation photos, in %.',
        f'With one seed each, less than {SEED_NOISE:g} points may be chance.',
    ]
    teacher, student = (metrics.get(name, {}).get('AP') for name in ('teacher', 'student'))
    if teacher is not None and student is not None and teacher <= student:
        sentences.append(WEAK_TEACHER)
    return ' '.join(sentences)


def results_table(metrics: Mapping[str, Figures]) -> str:
    """Return AP in percent, minutes and memory of each detector, in Markdown.

    Example:
        >>> figures = {'AP': 0.5, 'AP50': 0.8, 'AP75': 0.5, 'seconds': 90.0, 'memory_mib': 700}
        >>> print(results_table({'distilled': figures}))
        | detector          |   AP | AP50 | AP75 | minutes |  MiB |
        | :---------------- | ---: | ---: | ---: | ------: | ---: |
        | distilled student | 50.0 | 80.0 | 50.0 |     1.5 |  700 |
    """
    rows = []
    for name, title in TITLES.items():
        if name not in metrics:
            continue
        figures = metrics[name]
        cells = ['-' if figures.get(key) is None else f'{100 * float(figures[key] or 0):.1f}' for key in _SHOWN]
        seconds, memory = figures.get('seconds'), figures.get('memory_mib')
        rows.append(
            [title, *cells, '-' if not seconds else f'{seconds / 60:.1f}', '-' if not memory else f'{memory:,.0f}']
        )
    return markdown_table(['detector', *_SHOWN, 'minutes', 'MiB'], rows, aligned=True)
