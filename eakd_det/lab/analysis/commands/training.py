"""Entropies and loss shares over training: what ``training_entropy.py`` runs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from eakd_det.cli.failures import run_tool
from eakd_det.lab.analysis.figures import command_line, save_figure
from eakd_det.lab.analysis.training_figures import draw_entropies, draw_loss_shares, format_shares, read_rows


def main(argv: Sequence[str] | None = None) -> int:
    """Draw; returns the exit status: 0, or 1 after one line on stderr about what the user has to change."""
    parser = argparse.ArgumentParser(
        prog='training_entropy.py', description='Entropies and loss shares over training, from ProposalEntropyHook'
    )
    parser.add_argument('runs', nargs='+', help='work folders (or files) of runs with ProposalEntropyHook')
    parser.add_argument('--names', nargs='+', help='what to call them; default: the names of the folders')
    parser.add_argument('--loss', help='which loss; default: the first one with weights')
    parser.add_argument('--out', type=Path, help='folder for results; default: the first work folder')
    args = parser.parse_args(argv)
    if args.names is not None and len(args.names) != len(args.runs):
        parser.error(f'--names: expected {len(args.runs)} names, one for each run, but got {len(args.names)}')
    return run_tool(lambda: run(args, command_line(parser.prog, argv)))


def run(args: argparse.Namespace, command: str) -> list[Path]:
    """Draw ``entropy_over_training.png`` and ``loss_share.png``, each with its numbers as ``.json``.

    Raises:
        ConfigError: If a run has no record.
    """
    folders = [path if path.is_dir() else path.parent for path in map(Path, args.runs)]
    names = args.names or [folder.resolve().name for folder in folders]
    runs = {name: read_rows(source) for name, source in zip(names, args.runs, strict=True)}
    folder = args.out or folders[0]
    text = format_shares(runs, args.loss)
    numbers = dict(command=command, table=text, runs=runs)
    written = [
        *save_figure(draw_entropies(runs), numbers, folder, 'entropy_over_training'),
        *save_figure(draw_loss_shares(runs, args.loss), numbers, folder, 'loss_share'),
    ]
    print(text)
    print('\n'.join(map(str, written)))
    return written
