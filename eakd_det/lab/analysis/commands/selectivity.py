"""Selectivity of the weight, and a T' to use: ``eakd-analyze selectivity``."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from eakd_det.functional import EA_MODES
from eakd_det.lab.analysis.commands.source import add_source_options, output_folder, read_proposals, remark_on_teacher
from eakd_det.lab.analysis.figures import save_figure
from eakd_det.lab.analysis.selectivity import (
    MIN_CV,
    TAUS,
    Recommendation,
    Selectivity,
    errors_in_words,
    recommend,
    sweep,
)
from eakd_det.lab.analysis.selectivity_figure import draw_selectivity
from eakd_det.plurals import counted
from eakd_det.tables import markdown_table

DESCRIPTION = "Selectivity of the EA weight against T', and a T' to use"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_source_options(parser)
    parser.add_argument('--taus', type=float, nargs='+', default=TAUS, metavar="T'", help='default: 0.5, 0.75, ..., 6')
    parser.add_argument('--mode', choices=EA_MODES, default='ea', help='form of the weight; default: ea')
    parser.add_argument('--min-cv', type=float, default=MIN_CV, help="the largest T' with this CV is recommended")


def run(args: argparse.Namespace) -> Recommendation:
    """Measure according to the parsed arguments; write ``selectivity.png`` and ``selectivity.json``.

    Raises:
        ConfigError: If a setting or a file is invalid.
    """
    table = read_proposals(args)
    rows = sweep(table, args.taus, args.mode)
    recommendation = recommend(rows, args.min_cv)
    background = float((~table.is_foreground).mean())
    subject = f'{Path(str(table.origin.get("config", ""))).stem}, {counted(len(table), "proposal")}'
    figure = draw_selectivity(rows, recommendation, background, subject)
    text = format_rows(rows, background)
    numbers = dict(
        command=args.command,
        table=text,
        recommendation=dataclasses.asdict(recommendation),
        mode=args.mode,
        proposals=len(table),
        background_share=background,
        origin=table.origin,
        rows=[dataclasses.asdict(row) for row in rows],
    )
    picture, record = save_figure(figure, numbers, output_folder(args), 'selectivity')
    print(text)
    print(f'\n{_advice(recommendation)}')
    tau = recommendation.tau if recommendation.is_selective else None
    for remark in (errors_in_words(rows, tau), remark_on_teacher(table)):
        if remark:
            print(remark)
    print(f'{picture}, {record}')
    return recommendation


def _advice(recommendation: Recommendation) -> str:
    if not recommendation.is_selective:
        return f'None of these can be recommended: {recommendation.reason}.'
    return (
        f"T' = {recommendation.tau:g} ({recommendation.reason}). For plain KD's mean weight of 1:\n"
        f"  weighting=dict(type='eakd_det.EntropyWeighting', tau={recommendation.tau:g}, normalize=True)\n"
        f'or loss_weight={recommendation.loss_weight:.2f}.'
    )


def format_rows(rows: Sequence[Selectivity], background_share: float) -> str:
    """Return the rows as a Markdown table."""
    headings = ["T'", 'mean weight', 'CV', 'effective share']
    headings.append(f'weight on background ({background_share:.0%} of proposals)')
    headings += ['teacher wrong : right', 'correlation with teacher errors']
    lines = []
    for row in rows:
        ratio, correlation = (
            '-' if value is None else f'{value:.2f}'
            for value in (row.teacher_error_ratio, row.teacher_error_correlation)
        )
        shares = f'{row.effective_share:.0%}', f'{row.background_weight:.0%}'
        lines.append([f'{row.tau:g}', f'{row.mean:.3f}', f'{row.cv:.2f}', *shares, ratio, correlation])
    return markdown_table(headings, lines)
