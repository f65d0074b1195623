"""The command line of ``tools/demo.py``: a plan for the experiment runner, then a table and a picture."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from eakd_det.cli.config import read_config
from eakd_det.evaluation import format_table
from eakd_det.evaluation.record import utc_now
from eakd_det.files import write_atomically, write_json
from eakd_det.lab.demo.pictures import draw_scenes
from eakd_det.lab.demo.plan import (
    FULL,
    PACKAGED_TEACHER,
    QUICK,
    STUDENT_CONFIG,
    TEACHER_CONFIG,
    TITLES,
    Size,
    demo_plan,
)
from eakd_det.lab.experiment.command import run_interruptible
from eakd_det.lab.experiment.experiment import Experiment
from eakd_det.lab.experiment.processes import Settings
from eakd_det.lab.experiment.records import RunRecord, read_record
from eakd_det.lab.experiment.screen import Screen
from eakd_det.lab.scenes import DigitScenes

_COLUMNS = ('AP', 'AP50', 'AP75')
# Layers this thin are slower with several threads: the student takes 116 s with one, 174 s with two.
_SETTINGS = Settings(jobs=2, threads=1)


def main(configs: Path, argv: Sequence[str] | None = None) -> int:
    """Run the demo with the configs in ``configs`` and return the exit status."""
    args = parse_arguments(argv)
    return run_interruptible(lambda: run_demo(configs, args), '')


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the arguments of ``tools/demo.py``.

    Example:
        >>> parse_arguments(['--seed', '1']).seed
        1
    """
    parser = argparse.ArgumentParser(
        prog='demo.py',
        description='Make a small data set, train a teacher, a student, and the student with EA-KD; compare them. '
        'Finished parts are not repeated.',
    )
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/demo'), help='default: %(default)s')
    parser.add_argument('--seed', type=int, default=0, help='seed of initial weights, batches and sampling; default: 0')
    parser.add_argument(
        '--teacher', metavar='CHECKPOINT', help="'packaged' for the one that travels with the package, or a file"
    )
    parser.add_argument('--quick', action='store_true', help='a few steps of each part, as a smoke test')
    parser.add_argument('--fresh', action='store_true', help='repeat finished parts')
    return parser.parse_args(argv)


def run_demo(configs: Path, args: argparse.Namespace) -> list[RunRecord]:
    """Run the demo and return the records of the runs in the order of the table.

    Raises:
        ConfigError: If the work folder has other content, a config is invalid, or a run fails.
    """
    start = time.monotonic()
    size, work_dir = QUICK if args.quick else FULL, args.work_dir
    torch.set_num_threads(_SETTINGS.threads)
    expected = 'About 2 minutes' if args.teacher and not args.quick else size.expected
    print(f'EA-KD demo: a teacher, a student, and the student with EA-KD. {expected} on 2 CPU cores.', flush=True)
    for part in ('teacher', 'runs') if args.fresh else ():
        shutil.rmtree(work_dir / part, ignore_errors=True)
    command = f'python tools/demo.py --seed {args.seed}{" --quick" if args.quick else ""}'
    command += f' --teacher {args.teacher}' if args.teacher else ''
    plan = demo_plan(configs, size, args.seed, PACKAGED_TEACHER if args.teacher == 'packaged' else args.teacher)
    experiment = Experiment(plan, work_dir, _SETTINGS, Screen(every_seconds=15), command=lambda _: command)
    trained = experiment.run()
    report = experiment.report()
    experiment.require_finished()
    runs = [run for run in (experiment.teacher, *(runs[0] for runs in experiment.runs.values())) if run is not None]
    records = [read_record(run) for run in runs]
    weights = [run.checkpoint() if run.tool == 'train' else plan.teacher.checkpoint or '' for run in runs]
    _draw(work_dir / 'detections.jpg', experiment.scenes, configs, weights)

    seconds = time.monotonic() - start
    earlier = sum(record.seconds or 0 for run, record in zip(runs, records, strict=True) if run.folder not in trained)
    write_json(work_dir / 'demo.json', _record(records, report, size, command, args.seed, seconds + earlier))
    table = format_table([(TITLES[record.arm], record.metrics) for record in records], _COLUMNS)
    write_atomically(work_dir / 'table.md', f'{table}\n'.encode())
    print(f'\n{table}\n\n{_remark(args.quick)}')
    print(f'Table:   {work_dir / "table.md"}; with versions and times: {work_dir / "demo.json"}')
    print(f'Report:  {work_dir / "report.html"}')
    print(f'Picture: {work_dir / "detections.jpg"}')
    print(f'Done in {seconds / 60:.1f} minutes.', flush=True)
    return records


def _record(
    records: Sequence[RunRecord], report: Mapping[str, Any], size: Size, command: str, seed: int, seconds: float
) -> dict[str, Any]:
    """Return the data for a comparison with another demo, ready for JSON."""
    return {
        'command': command,
        'time': utc_now(),
        'seconds': round(seconds, 1),
        'seed': seed,
        'scenes': dict(size.scenes),
        'versions': report['setting']['versions'],
        'machine': {'device': records[0].device, 'cores': os.cpu_count(), 'torch_threads': _SETTINGS.threads},
        'results': [
            {
                'name': record.arm,
                'metrics': record.metrics,
                'iterations': record.iterations,
                'seconds': record.seconds,
                'command': record.command,
            }
            for record in records
        ],
    }


def _remark(quick: bool) -> str:
    if quick:
        return 'A smoke test: these detectors are untrained.'
    return 'AP on the validation scenes, in %. One seed: a point between the two students is within the noise.'


def _draw(path: Path, scenes: DigitScenes | None, configs: Path, checkpoints: Sequence[Path | str]) -> None:
    if scenes is None:
        return
    stock = [read_config(str(configs / name)) for name in (TEACHER_CONFIG, STUDENT_CONFIG, STUDENT_CONFIG)]
    detectors: list[tuple[str, Config, Path | str]] = list(zip(TITLES.values(), stock, checkpoints, strict=True))
    with open(os.devnull, 'w') as nowhere, contextlib.redirect_stdout(nowhere):  # pycocotools and MMEngine print
        draw_scenes(path, scenes, detectors)
