"""Measure the overhead of distillation against images per batch and proposals per image.

python tools/analysis_tools/benchmark_scaling.py --out scaling.json --plot scaling.png
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT)]

from step_benchmark import arms, report  # noqa: E402
from step_benchmark.environment import add_scene_arguments, parse, publish  # noqa: E402
from step_benchmark.scaling_plot import plot  # noqa: E402
from step_benchmark.scene import PAIRS, make_scene, sample_proposals  # noqa: E402
from step_benchmark.timing import interleave  # noqa: E402

from eakd_det.tables import markdown_table  # noqa: E402


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    add_scene_arguments(parser, PAIRS, height=400, width=672)
    parser.add_argument(
        '--images', type=int, nargs='+', default=[1, 2, 4, 8], help='images per batch, with 512 proposals each'
    )
    parser.add_argument('--rois', type=int, nargs='+', default=[128, 512, 1024, 2048], help='proposals of one image')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--plot', type=Path, help='plot the overhead into this picture')
    return parse(parser, argv, threads=2)


def measure(args: argparse.Namespace, images: int, rois: int) -> dict[str, Any]:
    """Return the overhead of an EA-KD step at one size."""
    print(f'{images} images, {rois} proposals per image ...', file=sys.stderr, flush=True)
    scene = make_scene(args.pair, args.height, args.width, images, rois)
    built = {name: arms.build_arm(name, scene) for name in (arms.PLAIN, arms.EA_KD)}
    inputs, sites = sample_proposals(scene)
    teacher = {report.TEACHER: lambda: arms.run_teacher(scene.teacher, inputs, sites.where)}
    times = interleave(built, teacher, scene.data, args.rounds, 1, lambda index: None)
    rows = {row['arm']: row for row in report.summarise(times, {}, {})}
    seconds = {name: row['step'] for name, row in rows.items()}
    return dict(images=images, rois=rois, sampled=len(sites), overhead=rows[arms.EA_KD]['overhead'], seconds=seconds)


def markdown(rows: list[dict[str, Any]]) -> str:
    """Return one line per size."""
    lines = []
    for row in rows:
        seconds = [f'{row["seconds"][name]["median"]:.2f}' for name in (arms.PLAIN, arms.EA_KD, report.TEACHER)]
        lines.append([str(row['images']), str(row['sampled']), *seconds, f'{row["overhead"]["median"]:.2f}'])
    headings = ['images', 'proposals', 'plain student, s', 'EA-KD, s', 'teacher, s', 'overhead']
    return markdown_table(headings, lines, texts=())


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark."""
    args = parse_args(argv)
    by_images = [measure(args, images, 512) for images in args.images]
    by_rois = [measure(args, 1, rois) for rois in args.rois]
    table = markdown([*by_images, *by_rois])
    settings = dict(pair=args.pair, height=args.height, width=args.width, rounds=args.rounds)
    publish(args, table, settings=settings, by_images=by_images, by_rois=by_rois)
    if args.plot:
        plot(by_images, by_rois, f'{args.pair}, {args.height} by {args.width}', args.plot)


if __name__ == '__main__':
    main()
