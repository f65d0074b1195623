"""Accuracy gap by teacher entropy: ``eakd-analyze accuracy``."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from eakd_det.arguments import Positive, require
from eakd_det.lab.analysis.commands.source import add_source_options, output_folder, read_proposals, remark_on_teacher
from eakd_det.lab.analysis.entropy_accuracy import AccuracyBin, draw_accuracies, group_accuracies
from eakd_det.lab.analysis.figures import save_figure
from eakd_det.tables import markdown_table

DESCRIPTION = "Accuracy of teacher and student by the teacher's entropy"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_source_options(parser)
    parser.add_argument('--tau', type=float, default=3.0, help="T' of the entropy; default: 3")
    parser.add_argument('--bins', type=int, default=10, help='number of groups; default: 10')


def run(args: argparse.Namespace) -> tuple[Path, Path]:
    """Draw ``entropy_accuracy.png``, with its numbers as ``.json``.

    Raises:
        ConfigError: If a setting or a file is invalid.
    """
    tau = require('--tau', args.tau, Positive)
    table = read_proposals(args)
    groups = group_accuracies(table, tau, args.bins)
    rows = {name: [{**dataclasses.asdict(row), 'gap': row.gap} for row in bins] for name, bins in groups.items()}
    figure = draw_accuracies(groups, tau, args.bins)
    text = format_groups(groups)
    numbers = dict(command=args.command, table=text, tau=tau, origin=table.origin, groups=rows)
    written = save_figure(figure, numbers, output_folder(args), 'entropy_accuracy')
    print(text)
    if remark := remark_on_teacher(table):
        print(remark)
    print('\n'.join(map(str, written)))
    return written


def format_groups(groups: Mapping[str, Sequence[AccuracyBin]]) -> str:
    """Return the groups as a Markdown table with a row for each bin and columns for each group."""
    headings = ['by teacher entropy']
    for name in groups:
        headings += [f'{name}: teacher', 'student', 'gap']
    rows = []
    for index in range(max(map(len, groups.values()))):
        cells = [str(index + 1)]
        for bins in groups.values():
            row = bins[index] if index < len(bins) else None
            values = (None,) * 3 if row is None else (row.teacher, row.student, row.gap)
            cells += ['' if value is None else f'{100 * value:.1f} %' for value in values]
        rows.append(cells)
    return markdown_table(headings, rows)
