"""Time a training step of the plain student, of this package and of other packages.

All arms share weights and batch, and run interleaved in one process. Example:

    python tools/analysis_tools/benchmark_step.py --pair r101-r18 --height 800 --width 1344 --images 1 --out step.json
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT)]

import torch  # noqa: E402
from step_benchmark import arms, dense, report  # noqa: E402
from step_benchmark.agreement import compare, logits_of  # noqa: E402
from step_benchmark.environment import add_scene_arguments, parse, publish  # noqa: E402
from step_benchmark.scene import DENSE_PAIRS, PAIRS, Scene, make_scene, sample_proposals  # noqa: E402
from step_benchmark.timing import interleave, run_step  # noqa: E402

from eakd_det.files import write_json  # noqa: E402

_NO_SETTINGS = ('out', 'memory', 'add_memory', 'memory_of', 'crosskd')


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    add_scene_arguments(parser, [*PAIRS, *DENSE_PAIRS], height=800, width=1344)
    parser.add_argument('--images', type=int, default=2, help='images per batch')
    parser.add_argument('--rois', type=int, default=512, help='proposals sampled from each image')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--warmup', type=int, default=1)
    parser.add_argument(
        '--arms',
        nargs='+',
        metavar='ARM',
        help=f'arms to time; by default {", ".join(arms.ARMS)}; of a dense pair {", ".join(dense.ARMS)}',
    )
    parser.add_argument(
        '--crosskd',
        type=Path,
        help=f"path of CrossKD's crosskd_two_stage.py, or {dense.CROSSKD_FILE} for a dense pair; required for its arm",
    )
    parser.add_argument('--fast-dtype', default='auto', help="the teacher's dtype in the fast arm")
    parser.add_argument(
        '--memory', action='store_true', help='measure the peak memory of each arm in its own process (Linux)'
    )
    parser.add_argument(
        '--add-memory',
        type=Path,
        metavar='RECORD',
        help='only measure the memory of the arms of this record, and add it there',
    )
    parser.add_argument('--memory-of', help=argparse.SUPPRESS)
    args = parse(parser, argv, threads=os.cpu_count() or 1)
    selected = args.arms
    if args.add_memory:
        vars(args).update(json.loads(args.add_memory.read_text())['settings'])
    kind = kind_of(args.pair)
    args.arms = selected or [arm for arm in kind.ARMS if arm != kind.CROSSKD or args.crosskd]
    unknown = [arm for arm in (*args.arms, *([args.memory_of] if args.memory_of else [])) if arm not in kind.ARMS]
    if unknown:
        parser.error(f'--arms: expected some of {", ".join(kind.ARMS)} for {args.pair}, but got {", ".join(unknown)}')
    if kind.CROSSKD in args.arms and not (args.crosskd and args.crosskd.is_file()):
        parser.error(f'--crosskd: expected the path of {kind.CROSSKD_FILE}, but got {args.crosskd}')
    return args


def kind_of(pair: str) -> ModuleType:
    """Return the module with the arms of a pair."""
    return dense if pair in DENSE_PAIRS else arms


def build(args: argparse.Namespace, names: list[str]) -> tuple[Scene, dict[str, torch.nn.Module]]:
    """Build the scene and the arms."""
    scene = make_scene(args.pair, args.height, args.width, args.images, args.rois)
    fast = {**arms.FAST_OPTIONS, 'dtype': args.fast_dtype}
    return scene, {name: kind_of(args.pair).build_arm(name, scene, fast, args.crosskd) for name in names}


def peak_memory(args: argparse.Namespace) -> dict[str, float]:
    """Return the peak resident memory of each arm in MiB, measured in separate processes."""
    memory = {}
    for name in args.arms:
        print(f'memory of {name} ...', file=sys.stderr, flush=True)
        command = [sys.executable, '-W', 'ignore', __file__, '--memory-of', name]
        if args.crosskd:
            command += ['--crosskd', str(args.crosskd)]
        for option in ('pair', 'height', 'width', 'images', 'rois', 'threads', 'fast_dtype'):
            command += [f'--{option.replace("_", "-")}', str(getattr(args, option))]
        # So that freed tensors go back to the system, and the peak is that of live ones on every run.
        environment = {**os.environ, 'MALLOC_MMAP_THRESHOLD_': '131072'}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        memory[name] = float(done.stdout.split()[-1])
    return memory


def measure_own_memory(args: argparse.Namespace) -> None:
    """Run two steps of one arm and print the peak memory of this process."""
    scene, built = build(args, [args.memory_of])
    for _ in range(2):
        run_step(built[args.memory_of], scene.data)
    # The peak of getrusage is inherited from the parent process.
    status = dict(line.split(':', 1) for line in Path('/proc/self/status').read_text().splitlines())
    print(float(status['VmHWM'].split()[0]) / 1024)


def add_memory(args: argparse.Namespace) -> None:
    """Measure the peak memory of a record's arms and add it to the record."""
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
    if args.memory_of:
        measure_own_memory(args)
        return
    if args.add_memory:
        add_memory(args)
        return
    kind, names = kind_of(args.pair), list(dict.fromkeys([arms.PLAIN, *args.arms]))
    scene, built = build(args, names)
    images, sites = sample_proposals(scene)
    logits = {name: logits_of(model, scene.data) for name, model in built.items()}
    reference = next((logits[name] for name in kind.PACKAGE_ARMS if name in logits), None)
    agreement = {name: compare(reference, other) for name, other in logits.items()} if reference else {}
    print(f'logits: {agreement}', file=sys.stderr, flush=True)
    times = interleave(
        built,
        {report.TEACHER: lambda: kind.run_teacher(scene.teacher, images, sites.where)},
        scene.data,
        args.rounds,
        args.warmup,
        lambda index: print(f'round {index + 1}/{args.rounds}', file=sys.stderr, flush=True),
    )
    rows = report.summarise(times, agreement, peak_memory(args) if args.memory else {})
    settings = {key: value for key, value in vars(args).items() if key not in _NO_SETTINGS}
    publish(args, report.markdown(rows), settings=settings, rows=rows)


if __name__ == '__main__':
    main()
