"""A map of RoI embeddings: ``eakd-analyze embedding``."""

from __future__ import annotations

import argparse
from pathlib import Path

from eakd_det.arguments import Positive, require
from eakd_det.errors import ConfigError
from eakd_det.lab.analysis.commands.source import add_source_options, add_weight_options, output_folder, read_proposals
from eakd_det.lab.analysis.embedding_map import choose_rows, draw_map, map_embeddings
from eakd_det.lab.analysis.figures import save_figure
from eakd_det.plurals import counted
from eakd_det.tables import markdown_table

DESCRIPTION = 't-SNE of RoI embeddings with the heaviest proposals marked'


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_source_options(parser)
    add_weight_options(parser)
    parser.add_argument('--points', type=int, default=1500, help='largest number of proposals; default: 1500')
    parser.add_argument('--share', type=float, default=0.1, help='share to mark as heaviest; default: 0.1')
    parser.add_argument('--with-background', action='store_true', help='add as much background as of the largest class')


def run(args: argparse.Namespace) -> tuple[Path, Path]:
    """Draw ``embedding_map.png``, with its numbers as ``.json``.

    Raises:
        ConfigError: If a setting or a file is invalid.
    """
    tau = require('--tau', args.tau, Positive)
    if not 0 < args.share < 1:
        raise ConfigError(f'--share: expected a number between 0 and 1, but got {args.share}')
    table = read_proposals(args, with_embeddings=True)
    rows = choose_rows(table, args.points, args.with_background, args.seed)
    result = map_embeddings(table, table.weights(tau, args.mode), rows, args.share, args.seed)
    figure = draw_map(result, list(map(str, table.classes)), args.share, tau)
    sides = ('teacher', 'student')
    text = markdown_table(
        ['Calinski-Harabasz index of', *sides],
        [[f'{counted(len(rows), "proposal")}', *(f'{result[side]["calinski_harabasz"]:.2f}' for side in sides)]],
    )
    setting = dict(tau=tau, mode=args.mode, share=args.share, origin=table.origin)
    numbers = dict(command=args.command, table=text, **setting, **result)
    written = save_figure(figure, numbers, output_folder(args), 'embedding_map')
    print(text)
    print('\n'.join(map(str, written)))
    return written
