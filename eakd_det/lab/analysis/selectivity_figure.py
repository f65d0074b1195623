"""Picture of the selectivity of the weight against T'."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eakd_det.lab.analysis.figures import BLUE, GREEN, GREY, ORANGE, PINK, label, new_figure
from eakd_det.lab.analysis.selectivity import Recommendation, Selectivity

_CAPTION = (
    'Left: below the dashed line the weight is close to a constant, and EA little more than a larger loss. '
    'Middle: background on the dashed line gets as much weight as any other proposal; the lower the green line, '
    'the fewer proposals count. Right: above 1, proposals that a network gets wrong weigh more than those it gets '
    "right. The vertical line is the T' chosen by the CV, a criterion for the weight and not for AP."
)


def draw_selectivity(
    rows: Sequence[Selectivity], recommendation: Recommendation, background_share: float, subject: str = ''
) -> Figure:
    """Draw three panels against T': size and spread of the weight, its distribution, and its relation to errors.

    Args:
        rows: One for each T'.
        recommendation: The T' to mark with a vertical line.
        background_share: Share of the proposals that are background.
        subject: Source of the weights, for the title.
    """
    title = "Selectivity of the EA weight against T'" + (f': {subject}' if subject else '')
    figure, ((spread, shares, errors),) = new_figure(title, _CAPTION, columns=3)
    taus = [row.tau for row in rows]
    spread.plot(taus, [row.cv for row in rows], color=BLUE, label='coefficient of variation')
    spread.plot(taus, [row.mean for row in rows], color=ORANGE, label='mean weight (nats)')
    spread.axhline(recommendation.min_cv, color=BLUE, linestyle='--', linewidth=1)
    label(spread, "T'", 'weight: spread, and size', 'Spread and size')
    shares.plot(taus, [row.background_weight for row in rows], color=GREY, label='weight on background')
    shares.axhline(background_share, color=GREY, linestyle='--', linewidth=1, label='background among proposals')
    shares.plot(taus, [row.effective_share for row in rows], color=GREEN, label='effective share of proposals')
    shares.set_ylim(0, 1.02)
    label(shares, "T'", 'share (0 to 1)', 'Distribution of the weight')
    _draw_errors(errors, rows)
    for axes in (spread, shares, errors):
        if recommendation.is_selective:
            axes.axvline(recommendation.tau, color='black', linewidth=1, alpha=0.6)
            top = (recommendation.tau, 1.0)
            text = f" T' = {recommendation.tau:g}"
            axes.annotate(text, top, xycoords=('data', 'axes fraction'), va='top', fontsize=8.5)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8.5, loc='best')
    spread.set_ylim(bottom=0)
    return figure


def _draw_errors(axes: Axes, rows: Sequence[Selectivity]) -> None:
    teacher = [(row.tau, row.teacher_error_ratio) for row in rows if row.teacher_error_ratio is not None]
    student = [(row.tau, row.student_error_ratio) for row in rows if row.student_error_ratio is not None]
    for points, colour, text in (
        (teacher, PINK, 'teacher wrong : right'),
        ([] if student == teacher else student, BLUE, 'student wrong : right'),  # a teacher that is its own student
    ):
        if points:
            axes.plot(*zip(*points, strict=True), color=colour, label=text)
    limits = axes.get_ylim()
    axes.axhline(1, color=GREY, linestyle='--', linewidth=1)
    axes.set_yscale('log')
    ticks = (0.5, 1, 2, 5, 10, 20, 50, 100)
    axes.set_yticks(ticks, [f'{tick:g}' for tick in ticks])
    axes.set_ylim(min(0.9, limits[0]), max(2.2, limits[1]))
    axes.minorticks_off()
    label(axes, "T'", 'mean weight, ratio (log scale)', 'Weight where a network errs')
