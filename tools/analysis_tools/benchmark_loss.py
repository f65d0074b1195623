"""Time the losses alone, forward and backward, against straightforward implementations of the same formulas.

python tools/analysis_tools/benchmark_loss.py --out loss.json
"""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT)]

import torch  # noqa: E402
from step_benchmark.environment import publish  # noqa: E402
from step_benchmark.losses import KEPT_ROUNDS, LOSSES, measure  # noqa: E402

from eakd_det.tables import markdown_table  # noqa: E402


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--rows', type=int, nargs='+', default=[512, 4096, 32768], help='proposals')
    parser.add_argument('--classes', type=int, nargs='+', default=[4, 81, 1204], help='classes with background')
    parser.add_argument('--seconds', type=float, default=6.0, help=f'for each size, but at least {KEPT_ROUNDS} rounds')
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--out', type=Path, help='write the record to this JSON file')
    return parser.parse_args(argv)


def markdown(rows: list[dict[str, Any]]) -> str:
    """One line a size: milliseconds of each loss, ours and straightforward, forward and backward."""
    headings = ['proposals', 'classes', *(part for name in LOSSES for part in (name, f'plain {name}', 'ratio'))]
    lines = []
    for row in rows:
        cells = [str(row['rows']), str(row['classes'])]
        for name in LOSSES:
            ours, plain = row[name]['ours']['median'], row[name]['straightforward']['median']
            cells += [f'{1000 * ours:.2f}', f'{1000 * plain:.2f}', f'{row[name]["ratio"]["median"]:.2f}']
        lines.append(cells)
    return markdown_table(headings, lines, texts=())


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark."""
    args = parse_args(argv)
    torch.set_num_threads(args.threads)
    rows = []
    for count, classes in itertools.product(args.rows, args.classes):
        print(f'{count} proposals, {classes} classes ...', file=sys.stderr, flush=True)
        rows.append(measure(count, classes, args.seconds))
    publish('benchmark_loss.py', args, markdown(rows), rows=rows)


if __name__ == '__main__':
    main()
