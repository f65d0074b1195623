"""Pictures of weighted proposals: ``eakd-analyze draw``."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from eakd_det.errors import ConfigError
from eakd_det.lab.analysis.commands.source import add_source_options, add_weight_options, output_folder, read_proposals
from eakd_det.lab.analysis.figures import save_figure
from eakd_det.lab.analysis.proposal_pictures import draw_weighted_proposals
from eakd_det.lab.analysis.proposal_sheet import choose_extremes, describe, draw_sheet, read_image
from eakd_det.lab.analysis.proposal_table import ProposalTable

DESCRIPTION = 'Draw proposals coloured by weight, and the heaviest and lightest of all'


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_source_options(parser)
    add_weight_options(parser)
    parser.add_argument('--pictures', type=int, default=4, help='number of images to draw; default: 4')
    parser.add_argument('--columns', type=int, default=8, help='proposals in each row of the sheet; default: 8')


def run(args: argparse.Namespace) -> list[Path]:
    """Draw according to the parsed arguments: ``sheet.png``, ``proposals_<n>.png``, and the numbers as ``.json``.

    The images are the first of the table with an object, so they are not chosen by weight.

    Raises:
        ConfigError: If a setting or a file is invalid.
    """
    if args.columns < 1 or args.pictures < 0:
        raise ConfigError('--columns, --pictures: expected at least 1 column and no negative number of pictures')
    table = read_proposals(args)
    weights = table.weights(args.tau, args.mode)
    folder, setting = output_folder(args), f"T' = {args.tau:g}, {args.mode}"
    chosen = choose_extremes(table, weights, args.columns)
    figure = draw_sheet(table, weights, chosen, f'Heaviest and lightest of {len(table)} proposals ({setting})')
    rows = {name: [describe(table, weights, row) for row in indices] for name, indices in chosen.items()}
    written = [*save_figure(figure, dict(tau=args.tau, mode=args.mode, **rows), folder, 'sheet')]
    limits = float(weights.min()), float(weights.max())
    with_objects = np.unique(table.images[table.is_foreground])[: args.pictures]
    for number, image in enumerate(with_objects, start=1):
        written += _draw_image(table, weights, int(image), limits, setting, folder, f'proposals_{number}')
    print('\n'.join(map(str, written)))
    return written


def _draw_image(
    table: ProposalTable,
    weights: np.ndarray,
    image: int,
    limits: tuple[float, float],
    setting: str,
    folder: Path,
    name: str,
) -> tuple[Path, Path]:
    rows, path = table.images == image, str(table.image_paths[image])
    facts = table.boxes[rows], weights[rows], table.is_foreground[rows]
    figure = draw_weighted_proposals(read_image(path), *facts, f'{Path(path).name}: weights at {setting}', limits)
    values = (values.round(4).tolist() for values in facts[:2])
    keys = dict(zip(('boxes', 'weights'), values, strict=True), is_foreground=facts[2].tolist())
    return save_figure(figure, dict(image=path, limits=limits, **keys), folder, name)
