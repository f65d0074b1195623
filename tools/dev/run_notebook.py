"""Run a notebook and store its outputs: python tools/dev/run_notebook.py NOTEBOOK [--short].

``--short`` only shows that every cell runs: the cell tagged ``parameters`` is followed by one that makes the training
short, and nothing is stored.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
SHORT = 'num_train, num_val, iterations = 16, 4, 4'


def run(path: Path, short: bool, folder: str) -> float:
    """Run all cells in ``folder`` and return the seconds that they took.

    Raises:
        CellExecutionError: If a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    if short:
        (number,) = (n for n, cell in enumerate(notebook.cells) if 'parameters' in cell.metadata.get('tags', ()))
        notebook.cells.insert(number + 1, nbformat.v4.new_code_cell(SHORT))
    start = time.monotonic()
    NotebookClient(notebook, timeout=1800, kernel_name='python3', resources={'metadata': {'path': folder}}).execute()
    seconds = time.monotonic() - start
    if not short:
        for cell in notebook.cells:
            cell.metadata.pop('execution', None)  # times of each cell, which differ between any two runs
            if cell.cell_type == 'code':
                cell.outputs = [output for output in cell.outputs if output.get('name') != 'stderr']
        notebook.metadata.pop('language_info', None)
        nbformat.write(notebook, path)
    return seconds


def main() -> int:
    """Run the notebook of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('notebook', type=Path)
    parser.add_argument('--short', action='store_true', help='a few steps, and store nothing')
    parser.add_argument(
        '--folder', type=Path, help='keep its files here, and go on with them; default: a temporary one'
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        seconds = run(args.notebook, args.short, str(folder))
    print(f'{args.notebook}: every cell ran, {seconds:.0f} s{"" if args.short else ", outputs stored"}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
