"""The command line of ``tools/demo.py``: what is done in which order, and what the user reads meanwhile."""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import shutil
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from eakd_det.cli.config import read_config
from eakd_det.cli.failures import run_tool
from eakd_det.datasets import DigitScenes, make_digit_scenes
from eakd_det.evaluation import format_table
from eakd_det.files import write_atomically, write_json
from eakd_det.lab.demo.pictures import draw_scenes
from eakd_det.lab.demo.plan import FULL, QUICK, STAGES, STUDENT_CONFIG, Size, Stage
from eakd_det.lab.demo.report import make_record
from eakd_det.lab.demo.stages import StageResult, run_stage, stage_config

_COLUMNS = ('AP', 'AP50', 'AP75')
_PRELOADED = ('eakd_det.lab.demo.stages', 'eakd_det.distillation', 'mmdet.datasets', 'mmdet.evaluation')
_THREADS = 1  # layers this thin lose more than they gain by sharing: 116 s with one thread, 174 s with two (student)


def main(configs: Path, argv: Sequence[str] | None = None) -> int:
    """Run the demo with the configs of that folder; returns the exit status."""
    args = parse_arguments(argv)
    return run_tool(lambda: run_demo(configs, args))


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the arguments of ``tools/demo.py``.

    Example:
        >>> parse_arguments(['--seed', '1']).seed
        1
    """
    parser = argparse.ArgumentParser(
        prog='demo.py',
        description='Make a small data set, train a teacher, a student, and the student with EA-KD; compare them. '
        'What is finished is not done again.',
    )
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/demo'), help='default: %(default)s')
    parser.add_argument('--seed', type=int, default=0, help='of initial weights, batches and sampling; default: 0')
    parser.add_argument('--quick', action='store_true', help='a few steps of everything, to see that it runs')
    parser.add_argument('--fresh', action='store_true', help='train all stages again, also those that are finished')
    return parser.parse_args(argv)


def run_demo(configs: Path, args: argparse.Namespace) -> list[StageResult]:
    """Do all of it, and return the results in the order of the table.

    Raises:
        ConfigError: If the work folder holds something else, or a config was changed to what cannot work.
    """
    start = time.monotonic()
    size = QUICK if args.quick else FULL
    work_dir: Path = args.work_dir
    torch.set_num_threads(_THREADS)
    print(f'EA-KD demo: a teacher, a student, and the student with EA-KD. {size.expected} on 2 CPU cores.')
    print(f'Complete logs: {work_dir}/<stage>/')
    with _two_processes() as pool:
        scenes = _make_scenes(work_dir / 'data', size.scenes)
        results = _train_stages(configs, args, size, scenes, pool)
    _say(4, 'picture')
    _draw(work_dir / 'detections.jpg', scenes, configs, results)

    seconds = time.monotonic() - start
    total = seconds + sum(result.seconds for result in results if result.reused)
    record = make_record(results, _command(args), args.seed, size.scenes, total)
    write_json(work_dir / 'demo.json', record)
    table = format_table([(result.stage.title, result.metrics) for result in results], _COLUMNS)
    write_atomically(work_dir / 'table.md', f'{table}\n'.encode())
    print(f'\n{table}\n\n{_remark(args.quick)}')
    print(f'Table:   {work_dir / "table.md"}; with versions and times: {work_dir / "demo.json"}')
    print(f'Picture: {work_dir / "detections.jpg"}')
    print(f'Done in {seconds / 60:.1f} minutes.', flush=True)
    return results


def _command(args: argparse.Namespace) -> str:
    return f'python tools/demo.py --seed {args.seed}{" --quick" if args.quick else ""}'


def _remark(quick: bool) -> str:
    if quick:
        return 'A smoke run: these detectors have learnt nothing yet.'
    return 'AP on the validation scenes, in %. One seed: a point between the two students is within the noise.'


def _say(step: int, text: str) -> None:
    print(f'[{step}/4] {text}', flush=True)


def _make_scenes(root: Path, arguments: Mapping[str, Any]) -> DigitScenes:
    _say(1, f'digit scenes: {arguments["num_train"]} to train on, {arguments["num_val"]} to validate on')
    scenes = make_digit_scenes(root, **arguments)
    print(f'      {"found" if scenes.reused else "made"} in {scenes.root}', flush=True)
    return scenes


@contextlib.contextmanager
def _two_processes() -> Iterator[Executor]:
    """Processes for two stages at a time, one for each core; they import while the scenes are made."""
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context('forkserver' if 'forkserver' in methods else 'spawn')
    context.set_forkserver_preload(list(_PRELOADED))
    with ProcessPoolExecutor(2, context, initializer=_begin_process) as pool:
        pool.submit(int)
        yield pool


def _begin_process() -> None:
    warnings.simplefilter('ignore')
    torch.set_num_threads(_THREADS)


def _train_stages(
    configs: Path, args: argparse.Namespace, size: Size, scenes: DigitScenes, pool: Executor
) -> list[StageResult]:
    """Train what needs no teacher, side by side, and then what does."""
    results: dict[str, StageResult] = {}
    for step, group in ((2, [s for s in STAGES if not s.learns_from]), (3, [s for s in STAGES if s.learns_from])):
        jobs = []
        for stage in group:
            cfg, inputs = _prepare(stage, configs, args, size, scenes, results)
            length = f'{cfg.train_cfg.max_iters} iterations of {cfg.train_dataloader.batch_size} images'
            _say(step, f'{stage.title}: {length}')
            jobs.append(pool.submit(run_stage, stage, cfg, inputs))
        for job in jobs:
            result = job.result()
            results[result.stage.name] = result
            again = '; trained before, and used again (--fresh trains anew)' if result.reused else ''
            ap = 100 * (result.metrics['AP'] or 0)
            print(f'      {result.stage.title}: AP {ap:.1f} in {result.seconds:.0f} s{again}', flush=True)
    return [results[stage.name] for stage in STAGES]


def _prepare(
    stage: Stage,
    configs: Path,
    args: argparse.Namespace,
    size: Size,
    scenes: DigitScenes,
    results: Mapping[str, StageResult],
) -> tuple[Config, list[Path]]:
    """The stage's config, and the files that its result depends on."""
    folder = args.work_dir / stage.name
    if args.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    teacher = results[stage.learns_from].checkpoint if stage.learns_from else None
    cfg = stage_config(configs / stage.config, folder, scenes.root, args.seed, size.options, teacher)
    return cfg, [scenes.train_ann, scenes.val_ann, *([teacher] if teacher else [])]


def _draw(path: Path, scenes: DigitScenes, configs: Path, results: list[StageResult]) -> None:
    detectors = []
    for result in results:
        plain = STUDENT_CONFIG if result.stage.learns_from else result.stage.config
        detectors.append((result.stage.title, read_config(str(configs / plain)), result.checkpoint))
    with open(os.devnull, 'w') as nowhere, contextlib.redirect_stdout(nowhere):  # pycocotools and MMEngine chat
        draw_scenes(path, scenes, detectors)
