"""Gap in accuracy between teacher and student by the teacher's entropy (EA-KD, Fig. 2a, on proposals)."""

from __future__ import annotations

import dataclasses

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eakd_det.errors import ConfigError
from eakd_det.lab.analysis.figures import BLUE, GREY, ORANGE, label, new_figure
from eakd_det.lab.analysis.proposal_table import ProposalTable

_CAPTION = (
    'Proposals in {bins} groups of equal size, from those the teacher is surest of (left) to those it is least '
    "sure of. Lines: how often each network's most likely class is the assigned one. Bars: teacher minus student, "
    'what there is to learn. If the bars grow to the right, weight on high entropy goes where the gap is; if they '
    'shrink again, it also goes where the teacher is wrong.'
)


@dataclasses.dataclass(frozen=True)
class AccuracyBin:
    """Proposals of similar teacher entropy.

    Args:
        count: Number of proposals.
        entropy: Their mean teacher entropy in nats.
        teacher: Accuracy of the teacher.
        student: Accuracy of the student.
    """

    count: int
    entropy: float
    teacher: float
    student: float

    @property
    def gap(self) -> float:
        """Accuracy of the teacher minus that of the student."""
        return self.teacher - self.student


def accuracy_by_entropy(
    entropies: np.ndarray, teacher_errs: np.ndarray, student_errs: np.ndarray, bins: int = 10
) -> list[AccuracyBin]:
    """Return the accuracies of both networks in ``bins`` groups of equal size by entropy; all arrays are ``(N,)``.

    Raises:
        ConfigError: If ``bins`` is below 2.

    Example:
        >>> wrong = np.array([True, False, False, False])
        >>> result = accuracy_by_entropy(np.array([0.4, 0.1, 0.2, 0.3]), wrong, ~wrong, bins=2)
        >>> [(each.count, each.teacher, each.student, each.gap) for each in result]
        [(2, 1.0, 0.0, 1.0), (2, 0.5, 0.5, 0.0)]
    """
    if bins < 2:
        raise ConfigError(f'--bins: expected at least 2, but got {bins}')
    groups = np.array_split(np.argsort(entropies, kind='stable'), bins)
    return [
        AccuracyBin(
            len(rows),
            float(entropies[rows].mean()),
            float(1 - teacher_errs[rows].mean()),
            float(1 - student_errs[rows].mean()),
        )
        for rows in groups
        if len(rows)
    ]


def group_accuracies(table: ProposalTable, tau: float = 3.0, bins: int = 10) -> dict[str, list[AccuracyBin]]:
    """Return the bins of all, of foreground and of background proposals."""
    entropies = table.entropies(tau)[1]
    every = np.ones(len(table), bool)
    masks = {'all proposals': every, 'foreground': table.is_foreground, 'background': ~table.is_foreground}
    return {
        name: accuracy_by_entropy(entropies[rows], table.teacher_errs[rows], table.student_errs[rows], bins)
        for name, rows in masks.items()
        if rows.any()
    }


def draw_accuracies(groups: dict[str, list[AccuracyBin]], tau: float, bins: int) -> Figure:
    """Draw a panel for each group: both accuracies as lines, their difference as bars."""
    title = f"Accuracy of teacher and student by the teacher's entropy (T' = {tau:g})"
    figure, (panels,) = new_figure(title, _CAPTION.format(bins=bins), columns=len(groups), sharey=True)
    for axes, (name, rows) in zip(panels, groups.items(), strict=True):
        _draw(axes, rows)
        label(axes, 'mean teacher entropy of the group (nats)', 'accuracy, and gap (0 to 1)', name)
    panels[0].legend(fontsize=8.5)
    return figure


def _draw(axes: Axes, rows: list[AccuracyBin]) -> None:
    positions = np.arange(len(rows))
    axes.bar(positions, [row.gap for row in rows], color=GREY, alpha=0.45, label='gap: teacher - student')
    axes.plot(positions, [row.teacher for row in rows], 'o-', color=BLUE, label='teacher')
    axes.plot(positions, [row.student for row in rows], 'o-', color=ORANGE, label='student')
    axes.axhline(0, color='black', linewidth=0.8)
    shown = positions if len(rows) <= 6 else positions[::2]
    axes.set_xticks(shown, [f'{rows[index].entropy:.2f}' for index in shown])
