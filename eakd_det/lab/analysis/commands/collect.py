"""Collect proposals of a data set as both networks see them: what ``collect_proposals.py`` runs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from eakd_det.cli.failures import run_tool
from eakd_det.errors import ConfigError
from eakd_det.lab.analysis.commands.source import add_source_options, read_proposals
from eakd_det.lab.analysis.proposal_table import ProposalTable


def main(argv: Sequence[str] | None = None) -> int:
    """Collect; returns the exit status: 0, or 1 after one line on stderr about what the user has to change."""
    parser = argparse.ArgumentParser(
        prog='collect_proposals.py', description='Collect logits, labels, boxes of proposals for the other analyses'
    )
    add_source_options(parser)
    parser.add_argument('--embeddings', action='store_true', help='keep RoI embeddings, too (for embedding_map.py)')
    args = parser.parse_args(argv)
    return run_tool(lambda: run(args))


def run(args: argparse.Namespace) -> ProposalTable:
    """Collect as the parsed arguments say, and print what came of it.

    Raises:
        ConfigError: If a setting or a file cannot work.
    """
    if not args.source.endswith('.py'):
        raise ConfigError(f'source: expected a distillation config (.py) to collect with, but got {args.source}')
    table = read_proposals(args, args.embeddings)
    print(
        f'{len(table)} proposals of {len(table.image_paths)} images, {table.is_foreground.mean():.1%} with an object; '
        f'wrong: teacher {table.teacher_errs.mean():.1%}, student {table.student_errs.mean():.1%}'
    )
    return table
