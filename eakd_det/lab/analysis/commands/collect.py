"""Collect proposals of a data set with the predictions of both networks: ``eakd-analyze collect``."""

from __future__ import annotations

import argparse

from eakd_det.errors import ConfigError
from eakd_det.lab.analysis.commands.source import add_source_options, is_config, read_proposals
from eakd_det.lab.analysis.proposal_table import ProposalTable
from eakd_det.plurals import counted

DESCRIPTION = 'Collect logits, labels, boxes of proposals for the other analyses'


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_source_options(parser)
    parser.add_argument('--embeddings', action='store_true', help='keep RoI embeddings, for eakd-analyze embedding')


def run(args: argparse.Namespace) -> ProposalTable:
    """Collect according to the parsed arguments and print a summary.

    Raises:
        ConfigError: If a setting or a file is invalid.
    """
    if not is_config(args.source):
        raise ConfigError(f'source: expected a distillation config (.py) to collect with, but got {args.source}')
    table = read_proposals(args, args.embeddings)
    print(
        f'{counted(len(table), "proposal")} of {counted(len(table.image_paths), "image")}, '
        f'{table.is_foreground.mean():.1%} with an object; '
        f'wrong: teacher {table.teacher_errs.mean():.1%}, student {table.student_errs.mean():.1%}'
    )
    return table
