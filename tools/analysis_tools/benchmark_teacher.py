"""Time the teacher's prediction at given proposals under each of its options, and how far its logits move.

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

import torch  # noqa: E402
from mmengine.logging import MMLogger  # noqa: E402
from step_benchmark.environment import publish  # noqa: E402
from step_benchmark.scene import PAIRS, Scene, make_scene, proposals_of  # noqa: E402
from step_benchmark.timing import spread  # noqa: E402

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
    parser.add_argument('--pair', choices=sorted(PAIRS), default='r101-r18')
    parser.add_argument('--height', type=int, default=800)
    parser.add_argument('--width', type=int, default=1344)
    parser.add_argument('--images', type=int, default=1)
    parser.add_argument('--rois', type=int, default=512, help='proposals sampled from each image')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--no-compile', action='store_true', help='leave out torch.compile, which takes minutes')
    parser.add_argument('--out', type=Path, help='write the record to this JSON file')
    return parser.parse_args(argv)


def measure(args: argparse.Namespace, scene: Scene) -> list[dict[str, Any]]:
    """Return a row for each set of options; the first prediction of each is a warm-up, whose logits are compared."""
    images, sites = proposals_of(scene)
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
        logits[name] = teacher.predict(images, scene.data['data_samples'], sites).logits.float()
    times: dict[str, list[float]] = {name: [] for name in teachers}
    for _ in range(args.rounds):
        for name, teacher in teachers.items():
            start = time.perf_counter()
            teacher.predict(images, scene.data['data_samples'], sites)
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
    """The rows as a table."""
    lines = []
    for row in rows:
        s = row['seconds']
        time = f'{s["median"]:.2f} ({s["min"]:.2f} to {s["max"]:.2f})'
        lines.append([row['options'], time, f'{row["relative"]["median"]:.2f}', f'{row["deviation"]:.0e}'])
    headings = ['teacher', 's (min to max)', '÷ as built', 'largest change of a logit, of the largest logit']
    return markdown_table(headings, lines)


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark."""
    args = parse_args(argv)
    torch.set_num_threads(args.threads)
    MMLogger.get_current_instance().setLevel('ERROR')
    rows = measure(args, make_scene(args.pair, args.height, args.width, args.images, args.rois))
    publish('benchmark_teacher.py', args, markdown(rows), rows=rows)


if __name__ == '__main__':
    main()
