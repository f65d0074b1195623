"""The command line of ``eakd-compare``: size, speed and AP of every form of a run's detectors in one table and plot."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from eakd_det.cli.failures import run_tool
from eakd_det.files import write_atomically, write_json
from eakd_det.inspection.arguments import run_parser
from eakd_det.inspection.measuring import Measured, measure_run
from eakd_det.inspection.plot import plot_ap_against_time
from eakd_det.inspection.runs import FinishedRun
from eakd_det.tables import markdown_table

TABLE, PLOT, RECORD = 'compare.md', 'compare.png', 'compare.json'


def main(argv: Sequence[str] | None = None) -> int:
    """Compare and return the exit status: 0, or 1 after one line on stderr about what to change."""
    args = parse_arguments(argv)
    return run_tool(lambda: compare(args))


def compare(args: argparse.Namespace) -> list[Measured]:
    """Measure a run's detectors, write table, plot and record into its folder, and print the table.

    Raises:
        ConfigError: If the folder has no finished distillation, or its data is not there any more.
    """
    run = FinishedRun.find(args.run, args.student)
    rows = measure_run(run, args.photos, args.device)
    table = compare_table(rows)
    write_atomically(run.folder / TABLE, f'{table}\n'.encode())
    write_json(run.folder / RECORD, [row.as_dict() for row in rows])
    plot_ap_against_time(rows, run.folder / PLOT)
    print(f'{table}\n\nms: median of {args.photos} photos, one at a time, from the file to the boxes, on this machine.')
    if not any(row.exported for row in rows):
        print(f'No exported detector: eakd-export {args.run}')
    print(f'Table: {run.folder / TABLE}\nPlot:  {run.folder / PLOT}')
    return rows


def compare_table(rows: Sequence[Measured]) -> str:
    """Return the measurements in Markdown.

    Example:
        >>> row = Measured('teacher', parameters=1_500_000, flops=2_400_000_000, milliseconds=31.25, ap=0.512)
        >>> print(compare_table([row]))
        | detector | parameters (M) | FLOPs (G) |   ms |   AP |
        | :------- | -------------: | --------: | ---: | ---: |
        | teacher  |           1.50 |      2.40 | 31.2 | 51.2 |
    """

    def cell(value: float | None, scale: float, digits: int) -> str:
        return '-' if value is None else f'{value * scale:.{digits}f}'

    cells = [
        [
            row.name,
            cell(row.parameters, 1e-6, 2),
            cell(row.flops, 1e-9, 2),
            cell(row.milliseconds, 1, 1),
            cell(row.ap, 100, 1),
        ]
        for row in rows
    ]
    return markdown_table(['detector', 'parameters (M)', 'FLOPs (G)', 'ms', 'AP'], cells, aligned=True)


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the arguments.

    Example:
        >>> parse_arguments(['work_dirs/distill/my_data']).photos
        20
    """
    parser = run_parser(
        'eakd-compare',
        'Compare teacher, plain student, distilled student and its exported forms: parameters, FLOPs, milliseconds per '
        'photo on this machine, AP.',
        photos=20,
        photos_help='photos to time on',
    )
    parser.add_argument('--device', help='device of the detectors in PyTorch; default: the GPU if there is one')
    return parser.parse_args(argv)
