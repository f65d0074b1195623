"""Logits before and after standardisation: ``eakd-analyze logits``."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eakd_det.errors import ConfigError
from eakd_det.lab.analysis.commands.source import names_for
from eakd_det.lab.analysis.figures import save_figure
from eakd_det.lab.analysis.logit_figures import (
    SIDES,
    compare_logits,
    draw_differences,
    draw_map,
    logits_of,
    map_logits,
)
from eakd_det.lab.analysis.logit_statistics import summarize
from eakd_det.lab.analysis.proposal_table import ProposalTable
from eakd_det.tables import markdown_table

DESCRIPTION = 'Mean, spread and range of logits, and their differences, before and after standardisation'


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('tables', nargs='+', help='tables from eakd-analyze collect (.npz), one for each student')
    parser.add_argument('--names', nargs='+', help='names of the students; default: those of the folders')
    parser.add_argument('--out', type=Path, help='folder for results; default: that of the first table')


def run(args: argparse.Namespace) -> list[Path]:
    """Draw ``logit_map.png`` and ``logit_difference.png``, each with its numbers as ``.json``.

    Raises:
        ConfigError: If a file is not a table, or the tables have different classes.
    """
    names = names_for(args.names, _folder_names(args.tables))
    tables = {name: ProposalTable.load(path) for name, path in zip(names, args.tables, strict=True)}
    first = next(iter(tables.values()))
    for name, table in tables.items():
        if table.classes.tolist() != first.classes.tolist():
            raise ConfigError(f'tables: expected the same classes in all, but {name} has {len(table.classes)} others')
    runs = {name: compare_logits(table) for name, table in tables.items()}
    summaries = {
        name: {side: dataclasses.asdict(summarize(logits_of(table, side), table.labels)) for side in SIDES}
        for name, table in tables.items()
    }
    text = format_summaries(summaries, runs)
    shared = dict(command=args.command, table=text, summaries=summaries)
    origins = {name: table.origin for name, table in tables.items()}
    folder = args.out or Path(args.tables[0]).parent
    found = map_logits(tables)
    classes = [*map(str, first.classes), 'background']
    written = [
        *save_figure(draw_map(found), dict(**shared, origins=origins, **found), folder, 'logit_map'),
        *save_figure(
            draw_differences(runs, classes), dict(**shared, origins=origins, runs=runs), folder, 'logit_difference'
        ),
    ]
    print(text)
    print('\n'.join(map(str, written)))
    return written


def _folder_names(paths: list[str]) -> list[str]:
    folders = [Path(path).resolve().parent.name for path in paths]
    return folders if len(set(folders)) == len(folders) else [Path(path).stem for path in paths]


def format_summaries(
    summaries: Mapping[str, Mapping[str, Mapping[str, float]]], runs: Mapping[str, Mapping[str, Any]]
) -> str:
    """Return a Markdown table: a row for teacher and student of each run, the differences in the student's."""
    headings = ['network', 'mean of logits', 'standard deviation', 'range', 'logit of the assigned class']
    headings += ['difference to the teacher: mean', 'max', 'standardised: mean', 'max']
    lines = []
    for name, sides in summaries.items():
        for side, summary in sides.items():
            cells = [f'{summary[key]:.2f}' for key in ('mean', 'std', 'range', 'target')]
            kinds = [runs[name]['difference'][kind] for kind in ('raw', 'standardized')] if side == 'student' else []
            cells += [f'{kind[key]:.2f}' for kind in kinds for key in ('mean', 'largest')] or [''] * 4
            lines.append([f'{name}: {side}', *cells])
    return markdown_table(headings, lines)
