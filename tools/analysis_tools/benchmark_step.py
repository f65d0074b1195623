"""Time one training step: the student, ours, and the ways other packages take.

All arms share weights and batch, run in one process and in turn. Example:

    python tools/analysis_tools/benchmark_step.py --pair r101-r18 --height 800 --width 1344 --images 1 --out step.json
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT)]

import torch  # noqa: E402
from mmengine.logging import MMLogger  # noqa: E402
from step_benchmark import arms, report  # noqa: E402
from step_benchmark.agreement import compare, logits_of  # noqa: E402
from step_benchmark.environment import publish  # noqa: E402
from step_benchmark.scene import PAIRS, Scene, make_scene, proposals_of  # noqa: E402
from step_benchmark.timing import interleave, run_step  # noqa: E402

from eakd_det.files import write_json  # noqa: E402

_NO_SETTINGS = ('out', 'memory', 'add_memory', 'memory_of', 'crosskd')


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--pair', choices=sorted(PAIRS), default='r101-r18')
    parser.add_argument('--height', type=int, default=800)
    parser.add_argument('--width', type=int, default=1344)
    parser.add_argument('--images', type=int, default=2, help='images a batch')
    parser.add_argument('--rois', type=int, default=512, help='proposals sampled from each image')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--warmup', type=int, default=1)
    parser.add_argument('--threads', type=int, default=os.cpu_count())
    parser.add_argument(
        '--arms', nargs='+', choices=arms.ARMS, metavar='ARM', help=f'all by default: {", ".join(arms.ARMS)}'
    )
    parser.add_argument('--crosskd', type=Path, help="CrossKD's crosskd_two_stage.py; its arm is left out without it")
    parser.add_argument('--fast-dtype', default='auto', help="the teacher's dtype in the fast arm")
    parser.add_argument(
        '--memory', action='store_true', help='measure the peak memory of each arm in its own process (Linux)'
    )
    parser.add_argument(
        '--add-memory', type=Path, metavar='RECORD', help='only measure the memory of its arms, add it there'
    )
    parser.add_argument('--out', type=Path, help='write the record to this JSON file')
    parser.add_argument('--memory-of', choices=arms.ARMS, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    asked = args.arms or [arm for arm in arms.ARMS if arm != arms.CROSSKD or args.crosskd]
    if args.add_memory:
        vars(args).update(json.loads(args.add_memory.read_text())['settings'])
    args.arms = asked
    if arms.CROSSKD in args.arms and not (args.crosskd and args.crosskd.is_file()):
        parser.error(f'--crosskd: the arm {arms.CROSSKD!r} needs the file crosskd_two_stage.py, but got {args.crosskd}')
    return args


def build(args: argparse.Namespace, names: list[str]) -> tuple[Scene, dict[str, torch.nn.Module]]:
    """The scene and the arms."""
    scene = make_scene(args.pair, args.height, args.width, args.images, args.rois)
    fast = {**arms.FAST_OPTIONS, 'dtype': args.fast_dtype}
    return scene, {name: arms.build_arm(name, scene, fast, args.crosskd) for name in names}


def peak_memory(args: argparse.Namespace) -> dict[str, float]:
    """Peak resident memory of each arm, in MiB, measured in a process of its own."""
    memory = {}
    for name in args.arms:
        print(f'memory of {name} ...', file=sys.stderr, flush=True)
        command = [sys.executable, '-W', 'ignore', __file__, '--memory-of', name]
        if args.crosskd:
            command += ['--crosskd', str(args.crosskd)]
        for option in ('pair', 'height', 'width', 'images', 'rois', 'threads', 'fast_dtype'):
            command += [f'--{option.replace("_", "-")}', str(getattr(args, option))]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        memory[name] = float(done.stdout.split()[-1])
    return memory


def measure_own_memory(args: argparse.Namespace) -> None:
    """Two steps of one arm, then this process's peak."""
    scene, built = build(args, [args.memory_of])
    for _ in range(2):
        run_step(built[args.memory_of], scene.data)
    # Not getrusage: its peak is inherited from the process that started this one.
    status = dict(line.split(':', 1) for line in Path('/proc/self/status').read_text().splitlines())
    print(float(status['VmHWM'].split()[0]) / 1024)


def add_memory(args: argparse.Namespace) -> None:
    """Measure the memory of a record's arms at its sizes and write it there; other programs do not disturb it."""
    record = json.loads(args.add_memory.read_text())
    memory = peak_memory(args)
    for row in record['rows']:
        if row['arm'] in memory:
            row['peak_memory_mib'] = memory[row['arm']]
    record['table'] = report.markdown(record['rows'])
    print(record['table'])
    write_json(args.add_memory, record)


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark."""
    args = parse_args(argv)
    torch.set_num_threads(args.threads)
    MMLogger.get_current_instance().setLevel('ERROR')
    if args.memory_of:
        measure_own_memory(args)
        return
    if args.add_memory:
        add_memory(args)
        return
    names = list(dict.fromkeys([arms.PLAIN, *args.arms]))
    scene, built = build(args, names)
    images, sites = proposals_of(scene)
    seen = {name: logits_of(model, scene.data) for name, model in built.items()}
    reference = next((seen[name] for name in arms.OURS if name in seen), None)
    agreement = {name: compare(reference, logits) for name, logits in seen.items()} if reference else {}
    print(f'logits: {agreement}', file=sys.stderr, flush=True)
    times = interleave(
        built,
        {report.TEACHER: lambda: arms.teacher_alone(scene.teacher, images, sites.where)},
        scene.data,
        args.rounds,
        args.warmup,
        lambda index: print(f'round {index + 1}/{args.rounds}', file=sys.stderr, flush=True),
    )
    rows = report.summarise(times, agreement, peak_memory(args) if args.memory else {})
    settings = {key: value for key, value in vars(args).items() if key not in _NO_SETTINGS}
    publish('benchmark_step.py', args, report.markdown(rows), settings=settings, rows=rows)


if __name__ == '__main__':
    main()
