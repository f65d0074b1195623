"""How the overhead of distillation grows with images a batch and proposals an image: a table, a record and a plot.

python tools/analysis_tools/benchmark_scaling.py --out scaling.json --plot scaling.png
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT)]

import torch  # noqa: E402
from mmengine.logging import MMLogger  # noqa: E402
from step_benchmark import arms, report  # noqa: E402
from step_benchmark.environment import publish  # noqa: E402
from step_benchmark.scaling_plot import plot  # noqa: E402
from step_benchmark.scene import PAIRS, make_scene, proposals_of  # noqa: E402
from step_benchmark.timing import interleave  # noqa: E402

from eakd_det.tables import markdown_table  # noqa: E402

ARM = 'ours EA-KD'


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--pair', choices=sorted(PAIRS), default='r101-r18')
    parser.add_argument('--height', type=int, default=400)
    parser.add_argument('--width', type=int, default=672)
    parser.add_argument(
        '--images', type=int, nargs='+', default=[1, 2, 4, 8], help='images a batch, with 512 proposals'
    )
    parser.add_argument('--rois', type=int, nargs='+', default=[128, 512, 1024, 2048], help='proposals of one image')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--out', type=Path, help='write the record to this JSON file')
    parser.add_argument('--plot', type=Path, help='draw it into this picture')
    return parser.parse_args(argv)


def measure(args: argparse.Namespace, images: int, rois: int) -> dict[str, Any]:
    """Overhead of our EA-KD step at one size."""
    print(f'{images} images, {rois} proposals an image ...', file=sys.stderr, flush=True)
    scene = make_scene(args.pair, args.height, args.width, images, rois)
    built = {name: arms.build_arm(name, scene) for name in (arms.PLAIN, ARM)}
    inputs, sites = proposals_of(scene)
    teacher = {report.TEACHER: lambda: arms.teacher_alone(scene.teacher, inputs, sites.where)}
    times = interleave(built, teacher, scene.data, args.rounds, 1, lambda index: None)
    rows = {row['arm']: row for row in report.summarise(times, {}, {})}
    seconds = {name: row['step'] for name, row in rows.items()}
    return dict(images=images, rois=rois, sampled=len(sites), overhead=rows[ARM]['overhead'], seconds=seconds)


def markdown(rows: list[dict[str, Any]]) -> str:
    """One line a size."""
    lines = []
    for row in rows:
        seconds = [f'{row["seconds"][name]["median"]:.2f}' for name in (arms.PLAIN, ARM, report.TEACHER)]
        lines.append([str(row['images']), str(row['sampled']), *seconds, f'{row["overhead"]["median"]:.2f}'])
    headings = ['images', 'proposals', 'plain student, s', 'EA-KD, s', 'teacher, s', 'overhead']
    return markdown_table(headings, lines, texts=())


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark."""
    args = parse_args(argv)
    torch.set_num_threads(args.threads)
    MMLogger.get_current_instance().setLevel('ERROR')
    by_images = [measure(args, images, 512) for images in args.images]
    by_rois = [measure(args, 1, rois) for rois in args.rois]
    table = markdown([*by_images, *by_rois])
    settings = dict(pair=args.pair, height=args.height, width=args.width, rounds=args.rounds)
    publish('benchmark_scaling.py', args, table, settings=settings, by_images=by_images, by_rois=by_rois)
    if args.plot:
        plot(by_images, by_rois, f'{args.pair}, {args.height} by {args.width}', args.plot)


if __name__ == '__main__':
    main()
