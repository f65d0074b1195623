"""The command line of all analyses: ``eakd-analyze ANALYSIS ...``."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence

from eakd_det.cli.failures import run_tool
from eakd_det.lab.analysis.commands import accuracy, collect, draw, embedding, logits, selectivity, surface, training

ANALYSES = dict(
    collect=collect,
    selectivity=selectivity,
    draw=draw,
    accuracy=accuracy,
    training=training,
    embedding=embedding,
    logits=logits,
    surface=surface,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one analysis and return the exit status: 0, or 1 after one line on stderr about what to change."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog='eakd-analyze', description='Analyse proposals, weights and students')
    choices = parser.add_subparsers(dest='what', required=True, metavar='WHAT')
    for name, analysis in ANALYSES.items():
        analysis.add_options(choices.add_parser(name, help=analysis.DESCRIPTION, description=analysis.DESCRIPTION))
    args = parser.parse_args(argv)
    args.command = shlex.join(['eakd-analyze', *argv])  # for the record beside each figure
    return run_tool(lambda: ANALYSES[args.what].run(args))
