"""Time forward and backward pass of the losses against plain code for the same formulas.

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

from step_benchmark.environment import parse, publish  # noqa: E402
from step_benchmark.losses import KEPT_ROUNDS, LOSSES, measure  # noqa: E402

from eakd_det.tables import markdown_table  # noqa: E402


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--rows', type=int, nargs='+', default=[512, 4096, 32768], help='proposals')
    parser.add_argument('--classes', type=int, nargs='+', default=[4, 81, 1204], help='classes with background')
    parser.add_argument('--seconds', type=float, default=6.0, help=f'for each size; at least {KEPT_ROUNDS} rounds run')
    return parse(parser, argv, threads=1)


def markdown(rows: list[dict[str, Any]]) -> str:
    """Return one line per size: milliseconds of each loss, of the package and of plain code."""
    headings = ['proposals', 'classes', *(part for name in LOSSES for part in (name, f'plain {name}', 'ratio'))]
    lines = []
    for row in rows:
        cells = [str(row['rows']), str(row['classes'])]
        for name in LOSSES:
            package, plain = row[name]['package']['median'], row[name]['plain']['median']
            cells += [f'{1000 * package:.2f}', f'{1000 * plain:.2f}', f'{row[name]["ratio"]["median"]:.2f}']
        lines.append(cells)
    return markdown_table(headings, lines, texts=())


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark."""
    args = parse_args(argv)
    rows = []
    for count, classes in itertools.product(args.rows, args.classes):
        print(f'{count} proposals, {classes} classes ...', file=sys.stderr, flush=True)
        rows.append(measure(count, classes, args.seconds))
    publish(args, markdown(rows), rows=rows)


if __name__ == '__main__':
    main()
