"""Get the proposals of an analysis: from a collected table, or by collecting from a config."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from mmengine.config import DictAction

from eakd_det.errors import ConfigError
from eakd_det.functional import EA_MODES
from eakd_det.lab.analysis.collecting import Progress, collect_proposals
from eakd_det.lab.analysis.pair import build_batches, build_pair, load_pair_config
from eakd_det.lab.analysis.proposal_table import ProposalTable

TABLE_NAME = 'proposals.npz'


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the proposals to analyse and the folder for results."""
    parser.add_argument('source', help='a table from eakd-analyze collect (.npz), or a distillation config (.py)')
    parser.add_argument(
        'checkpoint',
        nargs='?',
        help="with a config: the student's weights; default: the teacher is its own student and makes the proposals",
    )
    parser.add_argument('--out', type=Path, help='default: the folder of the table, or work_dirs/analysis')
    group = parser.add_argument_group('collecting (with a config)')
    group.add_argument('--split', choices=['train', 'val'], default='train', help='which images; default: train')
    group.add_argument('--images', type=int, default=400, help='number of images, drawn at random; default: 400')
    group.add_argument('--max-megabytes', type=float, default=500, help='largest size in memory; default: 500')
    group.add_argument('--seed', type=int, default=0, help='seed of the choice of images and of sampling; default: 0')
    group.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='as in tools/train.py')


def add_weight_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the weight of a proposal."""
    parser.add_argument('--tau', type=float, default=3.0, help="T' of the weight; default: 3")
    parser.add_argument('--mode', choices=EA_MODES, default='ea', help='form of the weight; default: ea')


def names_for(given: list[str] | None, defaults: list[str]) -> list[str]:
    """Return ``given``, or ``defaults`` if there are none.

    Raises:
        ConfigError: If the numbers differ.
    """
    if given is not None and len(given) != len(defaults):
        raise ConfigError(f'--names: expected {len(defaults)}, one for each run, but got {len(given)}')
    return given or defaults


def output_folder(args: argparse.Namespace) -> Path:
    """Return the folder for results."""
    if args.out is not None:
        return Path(args.out)
    return Path(args.source).parent if args.source.endswith('.npz') else Path('work_dirs/analysis')


def is_config(source: str) -> bool:
    """Return whether a source is a config: a file, or ``PAIR.py+METHOD``.

    Example:
        >>> is_config('configs/pairs/r18w32-r18w16_demo.py+kd'), is_config('work_dirs/analysis/proposals.npz')
        (True, False)
    """
    return source.endswith('.py') or '.py+' in source


def remark_on_teacher(table: ProposalTable) -> str | None:
    """Return a warning if the teacher classifies proposals with objects no better than the student, else None."""
    rows = table.is_foreground
    if not rows.any() or np.array_equal(table.student_logits, table.teacher_logits):
        return None
    teacher, student = (1 - float(errs[rows].mean()) for errs in (table.teacher_errs, table.student_errs))
    if teacher > student:
        return None
    return (
        f'Warning: the teacher gets {teacher:.1%} of the proposals with an object right, the student {student:.1%}: '
        'it has nothing to teach here. Check its checkpoint, classes and pixels (data_preprocessor).'
    )


def read_proposals(args: argparse.Namespace, with_embeddings: bool = False) -> ProposalTable:
    """Load the table that ``args.source`` names, or collect one from the config and keep it in the output folder.

    Raises:
        ConfigError: If the source is neither, cannot be read, or lacks required embeddings.
    """
    if args.source.endswith('.npz'):
        if args.checkpoint is not None:
            raise ConfigError(f'checkpoint: expected none with the table {args.source}, but got {args.checkpoint}')
        table = ProposalTable.load(args.source)
    elif is_config(args.source):
        table = collect(args, with_embeddings)
        path = output_folder(args) / TABLE_NAME
        table.save(path)
        print(f'{path}  {path.stat().st_size / 1e6:.1f} MB', flush=True)
    else:
        raise ConfigError(f'source: expected a table (.npz) or a config (.py), but got {args.source}')
    if with_embeddings and table.student_embeddings is None:
        raise ConfigError(f'source: {args.source} has no embeddings; collect it again with --embeddings')
    return table


def collect(args: argparse.Namespace, with_embeddings: bool) -> ProposalTable:
    """Collect proposals according to the options."""
    for name in ('images', 'max_megabytes'):
        if getattr(args, name) <= 0:
            flag = name.replace('_', '-')
            raise ConfigError(f'--{flag}: expected a number > 0, but got {getattr(args, name)}')
    cfg = load_pair_config(args.source, args.cfg_options, args.seed)
    algorithm = build_pair(cfg, args.checkpoint)
    batches = build_batches(cfg, args.split, args.seed)
    dataset: Any = batches.dataset
    origin = dict(
        config=args.source,
        student=args.checkpoint or 'the teacher itself',
        teacher=str(cfg.model.teacher_ckpt),
        split=args.split,
        seed=args.seed,
    )
    return collect_proposals(
        algorithm,
        batches,
        dataset.metainfo['classes'],
        max_images=args.images,
        max_bytes=int(args.max_megabytes * 1e6),
        with_embeddings=with_embeddings,
        progress=progress_line(min(args.images, len(dataset))),
        origin=origin,
    )


def progress_line(total: int, stream: TextIO = sys.stderr, every_seconds: float = 10.0) -> Progress:
    """Return a function that shows progress: one line on a terminal, else a line every ``every_seconds``."""
    start = last = time.monotonic()

    def show(images: int, proposals: int, size: int) -> None:
        nonlocal last
        now, done, live = time.monotonic(), images >= total, stream.isatty()
        if not live and not done and now - last < every_seconds:
            return
        last = now
        left = (now - start) / images * max(total - images, 0)
        text = f'{images}/{total} images  {proposals} proposals  {size / 1e6:.0f} MB  {left:.0f} s left'
        print(f'\r{text:70}' if live else text, end='\n' if done or not live else '', file=stream, flush=True)

    return show
