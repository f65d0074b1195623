"""Options that the commands on a finished run share."""

from __future__ import annotations

import argparse
from pathlib import Path


def run_parser(prog: str, description: str, photos: int, photos_help: str) -> argparse.ArgumentParser:
    """Return a parser with the run, its plain student and a number of photos.

    Example:
        >>> run_parser('eakd-compare', 'Compare.', 20, 'photos to time on').parse_args(['my_run']).photos
        20
    """
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument('run', type=Path, help='folder of eakd-distill, or a work folder of a distillation')
    parser.add_argument('--student', help='work folder of the plain student; default: looked for beside the run')
    parser.add_argument('--photos', type=int, default=photos, help=f'{photos_help}; default: %(default)s')
    return parser
