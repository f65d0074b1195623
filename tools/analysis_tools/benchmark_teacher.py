"""Time the teacher's prediction at given proposals with each of its options, and measure the change of its logits.

python tools/analysis_tools/benchmark_teacher.py --pair r101-r18 --out teacher.json
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT)]

from step_benchmark.environment import add_scene_arguments, parse, publish  # noqa: E402
from step_benchmark.scene import PAIRS, Scene, make_scene, sample_proposals  # noqa: E402
from step_benchmark.timing import format_spread, spread  # noqa: E402

from eakd_det.sites import find_head  # noqa: E402
from eakd_det.tables import markdown_table  # noqa: E402
from eakd_det.teachers import FrozenTeacher, TeacherOptions  # noqa: E402

STOCK = 'as MMDetection builds it'
OPTIONS: dict[str, dict[str, Any]] = {
    STOCK: dict(enabled=False),
    'BatchNorm folded': dict(channels_last=False),
    'folded, channels-last (default on a CPU)': dict(),
    'folded, bfloat16': dict(channels_last=False, dtype='bfloat16'),
    'folded, channels-last, bfloat16 (fast)': dict(channels_last=True, dtype='bfloat16'),
    'folded, compiled': dict(channels_last=False, compile=True),
    'folded, channels-last, compiled': dict(channels_last=True, compile=True),
}


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    add_scene_arguments(parser, PAIRS, height=800, width=1344)
    parser.add_argument('--images', type=int, default=1)
    parser.add_argument('--rois', type=int, default=512, help='proposals sampled from each image')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--no-compile', action='store_true', help='skip torch.compile, which takes minutes')
    return parse(parser, argv, threads=2)


def measure(args: argparse.Namespace, scene: Scene) -> list[dict[str, Any]]:
    """Return a row for each set of options; their logits are taken from a warm-up."""
    images, sites = sample_proposals(scene)
    teachers = {
        name: FrozenTeacher(
            find_head(copy.deepcopy(scene.teacher), 'teacher'),
            None,
            scene.student.data_preprocessor,
            options=TeacherOptions.from_config(cfg),
        )
        for name, cfg in OPTIONS.items()
        if not (args.no_compile and cfg.get('compile'))
    }
    logits = {}
    for name, teacher in teachers.items():
        print(f'{name} ...', file=sys.stderr, flush=True)
        logits[name] = teacher.predict(teacher.see(images, scene.data['data_samples']), sites).logits.float()
    times: dict[str, list[float]] = {name: [] for name in teachers}
    for _ in range(args.rounds):
        for name, teacher in teachers.items():
            start = time.perf_counter()
            teacher.predict(teacher.see(images, scene.data['data_samples']), sites)
            times[name].append(time.perf_counter() - start)
    scale = logits[STOCK].abs().max()
    return [
        dict(
            options=name,
            seconds=spread(seconds),
            relative=spread([a / b for a, b in zip(seconds, times[STOCK], strict=True)]),
            deviation=float((logits[name] - logits[STOCK]).abs().max() / scale),
        )
        for name, seconds in times.items()
    ]


def markdown(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a Markdown table."""
    lines = []
    for row in rows:
        time = format_spread(row['seconds'])
        lines.append([row['options'], time, f'{row["relative"]["median"]:.2f}', f'{row["deviation"]:.0e}'])
    headings = ['teacher', 's (min to max)', '÷ as built', 'largest change of a logit ÷ largest logit']
    return markdown_table(headings, lines)


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark."""
    args = parse_args(argv)
    rows = measure(args, make_scene(args.pair, args.height, args.width, args.images, args.rois))
    publish(args, markdown(rows), rows=rows)


if __name__ == '__main__':
    main()
