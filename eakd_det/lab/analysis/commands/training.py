"""Entropies and loss shares over training: ``eakd-analyze training``."""

from __future__ import annotations

import argparse
from pathlib import Path

from eakd_det.lab.analysis.commands.source import names_for
from eakd_det.lab.analysis.figures import save_figure
from eakd_det.lab.analysis.training_figures import draw_entropies, draw_loss_shares, format_shares, read_rows

DESCRIPTION = 'Entropies and loss shares over training, from ProposalEntropyHook'


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('runs', nargs='+', help='work folders (or files) of runs with ProposalEntropyHook')
    parser.add_argument('--names', nargs='+', help='names of the runs; default: those of the folders')
    parser.add_argument('--loss', help='name of the loss; default: the first with weights')
    parser.add_argument('--out', type=Path, help='folder for results; default: the first work folder')


def run(args: argparse.Namespace) -> list[Path]:
    """Draw ``entropy_over_training.png`` and ``loss_share.png``, each with its numbers as ``.json``.

    Raises:
        ConfigError: If a run has no record.
    """
    folders = [path if path.is_dir() else path.parent for path in map(Path, args.runs)]
    names = names_for(args.names, [folder.resolve().name for folder in folders])
    runs = {name: read_rows(source) for name, source in zip(names, args.runs, strict=True)}
    folder = args.out or folders[0]
    text = format_shares(runs, args.loss)
    numbers = dict(command=args.command, table=text, runs=runs)
    written = [
        *save_figure(draw_entropies(runs), numbers, folder, 'entropy_over_training'),
        *save_figure(draw_loss_shares(runs, args.loss), numbers, folder, 'loss_share'),
    ]
    print(text)
    print('\n'.join(map(str, written)))
    return written
