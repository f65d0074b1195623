"""Run every row of a plan for a few iterations, end to end, and estimate the cost of the whole plan.

Each arm is trained, evaluated and reported by the code of tools/experiment.py; the numbers of AP mean nothing. Example:

    python tools/analysis_tools/dry_run.py configs/studies/coco_r101-r18.py --iters 2 --images 1 --random-weights \
        --cfg-options data_root=data/coco_mini train_ann=instances_train.json val_ann=instances_val.json \
        train_images=images/ val_images=images/ --out dry_run.json

On a GPU, with the plan's own number of images, the hours are measured; on a CPU, the step is compared with the plain
student's, whose time on a GPU is given by --image-seconds.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT)]

import torch  # noqa: E402
from mmengine.config import Config, DictAction  # noqa: E402
from mmengine.registry import MODELS, DefaultScope  # noqa: E402
from step_benchmark.environment import parse, publish  # noqa: E402

import eakd_det  # noqa: E402, F401
from eakd_det.cli.config import read_config  # noqa: E402
from eakd_det.cli.detectors import is_distillation  # noqa: E402
from eakd_det.lab.experiment.experiment import Experiment  # noqa: E402
from eakd_det.lab.experiment.plan import Plan, TeacherStage  # noqa: E402
from eakd_det.lab.experiment.plan_file import read_plan  # noqa: E402
from eakd_det.lab.experiment.processes import Settings  # noqa: E402
from eakd_det.lab.experiment.runs import Run, read_json  # noqa: E402
from eakd_det.lab.experiment.screen import Screen  # noqa: E402
from eakd_det.lab.experiment.table import markdown  # noqa: E402
from eakd_det.lab.experiment.watch_hook import PROGRESS_NAME  # noqa: E402
from eakd_det.tables import markdown_table  # noqa: E402


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('plan', type=Path, help='such as configs/studies/coco_r101-r18.py')
    parser.add_argument('--arms', nargs='+', metavar='ARM', help='run only these; default: all')
    parser.add_argument('--iters', type=int, default=2, help='iterations of each arm; default: 2')
    parser.add_argument('--images', type=int, default=1, help='images of a batch; default: 1')
    parser.add_argument('--val-images', type=int, default=2, help='images to evaluate on; default: 2')
    parser.add_argument(
        '--random-weights', action='store_true', help='download nothing: random teacher, backbones from scratch'
    )
    parser.add_argument(
        '--image-seconds',
        type=float,
        default=0.105,
        help="seconds per image of the plain student's training on a GPU, for estimates on a CPU; default: 0.105, of a "
        "larger student on a V100 in Detectron2's model zoo",
    )
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/dry_run'))
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE')
    return parse(parser, list(sys.argv[1:] if argv is None else argv), threads=os.cpu_count() or 1)


def shorten(plan: Plan, iters: int, images: int, val_images: int) -> Plan:
    """Return the plan with one seed, ``iters`` iterations of ``images`` images, and an evaluation on ``val_images``.

    Sizes of images, networks and numbers of proposals stay those of the plan.
    """
    options = {
        'train_cfg.max_iters': iters,
        'train_cfg.val_interval': iters,
        'default_hooks.checkpoint.interval': iters,
        'default_hooks.logger.interval': 1,
        'train_dataloader.batch_size': images,
        **{f'{loader}_dataloader.num_workers': 0 for loader in ('train', 'val', 'test')},
        **{f'{loader}_dataloader.persistent_workers': False for loader in ('train', 'val', 'test')},
        **{f'{loader}_dataloader.dataset.indices': val_images for loader in ('val', 'test')},
    }
    return dataclasses.replace(plan, seeds=plan.seeds[:1], options={**plan.options, **options})


def without_downloads(plan: Plan, folder: Path) -> Plan:
    """Return the plan with a teacher of random weights, in ``folder``, and backbones from scratch."""
    arms, teacher = [], None
    for arm in plan.arms:
        cfg = read_config(str(arm.config))
        if is_distillation(cfg.model):
            teacher = teacher or _random_teacher(cfg, folder / 'random_teacher.pth')
        student = 'model.architecture' if is_distillation(cfg.model) else 'model'
        arms.append(dataclasses.replace(arm, options={**arm.options, f'{student}.backbone.init_cfg': None}))
    return dataclasses.replace(plan, arms=tuple(arms), teacher=TeacherStage(checkpoint=teacher))


def _random_teacher(cfg: Config, path: Path) -> str:
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        teacher = MODELS.build(copy.deepcopy(cfg.model.teacher))
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(dict(state_dict=teacher.state_dict(), meta={}), path)
    return str(path)


def measure(run: Run) -> dict[str, Any]:
    """Return the figures of a finished run."""
    progress = read_json(run.folder / PROGRESS_NAME)
    return {
        name: progress.get(name)
        for name in ('finished', 'iteration', 'fastest_step', 'start_memory_mib', 'memory_mib', 'gpu_memory_mib')
    }


def estimate(
    row: Mapping[str, Any], student: Mapping[str, Any], images: int, whole: Mapping[str, int], image_seconds: float
) -> dict[str, Any]:
    """Return ``ratio``, ``hours`` and ``full_memory_gib`` of an arm for the whole training.

    With a GPU, hours are the measured step times the iterations, for as many images. On a CPU they are the plain
    student's, by ``image_seconds``, times the ratio of the steps; memory is that at the start and what the step added,
    times the images: an upper bound, because weights and gradients do not grow with the batch.

    Args:
        row: Result of :func:`measure`.
        student: That of the plain student.
        images: Images of a step.
        whole: ``iters`` and ``images`` of the plan.
        image_seconds: Seconds of the plain student for one image on a GPU.

    Example:
        >>> row = dict(fastest_step=6.0, start_memory_mib=1024, memory_mib=2048, gpu_memory_mib=None)
        >>> estimate(row, dict(fastest_step=4.0), 1, dict(iters=90000, images=8), 0.1)
        {'ratio': 1.5, 'hours': 30.0, 'full_memory_gib': 9.0}
    """
    ratio = row['fastest_step'] / student['fastest_step']
    times = whole['images'] / images
    if row['gpu_memory_mib'] is not None:
        seconds, memory = row['fastest_step'] * times, row['gpu_memory_mib'] * times
    else:
        seconds = image_seconds * whole['images'] * ratio
        memory = row['start_memory_mib'] + (row['memory_mib'] - row['start_memory_mib']) * times
    return dict(
        ratio=round(ratio, 3), hours=round(seconds * whole['iters'] / 3600, 1), full_memory_gib=round(memory / 1024, 1)
    )


def table(rows: Sequence[Mapping[str, Any]], whole: Mapping[str, int], images: int) -> str:
    """Return the rows as a Markdown table."""
    headings = ['arm', 'ran', f'step of {images} image{"s" if images > 1 else ""}, s', '÷ student', 'memory, MiB']
    headings += [f'hours, {whole["iters"]:,} steps of {whole["images"]}', f'memory, {whole["images"]} images, GiB']
    lines = [
        [
            row['title'],
            'train, evaluate' if row['finished'] else 'failed',
            *([f'{row["fastest_step"]:.1f}', f'{row["ratio"]:.2f}', f'{row["gpu_memory_mib"] or row["memory_mib"]}']),
            f'{row["hours"]:.0f}',
            f'{row["full_memory_gib"]:.0f}',
        ]
        if row.get('fastest_step')
        else [row['title'], 'failed', *[''] * 5]
        for row in rows
    ]
    return markdown_table(headings, lines, texts=(0, 1))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the rows, print the report and the estimates; 1 if a row failed."""
    args = parse_args(argv)
    plan = read_plan(args.plan)
    chosen = [arm for arm in plan.arms if args.arms is None or arm.name in args.arms or arm.name == plan.student]
    base = read_config(str(chosen[0].config))
    whole = dict(iters=base.train_cfg.max_iters, images=base.train_dataloader.batch_size)
    plan = dataclasses.replace(plan, arms=tuple(chosen), questions=(), sweeps=())
    plan = shorten(plan, args.iters, args.images, args.val_images)
    root = args.work_dir / args.plan.stem
    if args.random_weights:
        plan = without_downloads(plan, root)
    experiment = Experiment(plan, root, Settings(threads=args.threads), Screen(), options=args.cfg_options)
    experiment.run(fresh=True)
    report = experiment.report()
    print(markdown(report))
    rows = [dict(arm=arm.name, title=arm.title, **measure(experiment.runs[arm.name][0])) for arm in plan.arms]
    student = next(row for row in rows if row['arm'] == plan.student)
    for row in rows:
        if row['finished'] and student['finished']:
            row.update(estimate(row, student, args.images, whole, args.image_seconds))
    settings = dict(iters=args.iters, images=args.images, val_images=args.val_images, image_seconds=args.image_seconds)
    publish(args, table(rows, whole, args.images), settings=settings, whole=whole, rows=rows)
    return int(any(record['status'] != 'finished' for record in report['runs']))


if __name__ == '__main__':
    sys.exit(main())
