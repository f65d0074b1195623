"""Loss surfaces of students: ``eakd-analyze surface``."""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import MODELS
from mmengine.config import DictAction
from mmengine.device import get_device
from torch import nn

from eakd_det.checkpoint import load_detector_weights
from eakd_det.cli.detectors import detector_config
from eakd_det.cli.translation import config_errors
from eakd_det.errors import ConfigError
from eakd_det.lab.analysis.commands.source import names_for
from eakd_det.lab.analysis.figures import save_figure
from eakd_det.lab.analysis.loss_surface import LossSurface, measure_surface
from eakd_det.lab.analysis.loss_surface_figure import draw_surfaces
from eakd_det.lab.analysis.pair import build_batches, load_config
from eakd_det.tables import markdown_table

RELATIVE_LEVEL = 1.5


DESCRIPTION = 'Training loss on a plane through the weights of one or several students'


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('config', help="a student's config, or a distillation config, whose student is used")
    parser.add_argument('checkpoints', nargs='+', help="students' weights, all of the same architecture")
    parser.add_argument('--names', nargs='+', help='names of the students; default: folder and file')
    parser.add_argument('--points', type=int, default=11, help='points along each direction, odd; default: 11')
    parser.add_argument('--span', type=float, default=1.0, help='farthest step, in filter norms; default: 1')
    parser.add_argument('--batches', type=int, default=2, help='number of training batches; default: 2')
    parser.add_argument('--split', choices=['train', 'val'], default='train', help='which images; default: train')
    parser.add_argument(
        '--level', type=float, help='loss that bounds the area; default: 1.5 times the largest of the students'
    )
    parser.add_argument('--seed', type=int, default=0, help='seed of directions, images and samplers; default: 0')
    parser.add_argument('--out', type=Path, default=Path('work_dirs/analysis'), help='default: work_dirs/analysis')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='as in tools/train.py')


def run(args: argparse.Namespace) -> dict[str, LossSurface]:
    """Measure according to the parsed arguments; write ``loss_surface.png`` and ``loss_surface.json``.

    Raises:
        ConfigError: If a setting or a file is invalid.
    """
    names = names_for(args.names, ['/'.join(Path(path).parts[-2:]) for path in args.checkpoints])
    cfg = load_config(args.config, args.cfg_options, args.seed)
    with config_errors(cfg):
        model = MODELS.build(detector_config(cfg, 'student')).to(torch.device(get_device()))
    loader = build_batches(cfg, args.split, args.seed)
    batches = [
        model.data_preprocessor(batch, training=True) for batch in itertools.islice(loader, max(args.batches, 0))
    ]
    surfaces = {
        name: _measure(model, checkpoint, batches, args, name)
        for name, checkpoint in zip(names, args.checkpoints, strict=True)
    }
    centres = [surface.centre for surface in surfaces.values()]
    level = RELATIVE_LEVEL * max(centres) if args.level is None else args.level
    numbers = {name: _numbers(surface, level) for name, surface in surfaces.items()}
    text = markdown_table(
        ['student', 'loss', f'area at {level:.4g}', f'area at {RELATIVE_LEVEL:g} times its own loss'],
        [
            [name, f'{values["centre"]:.4f}', _area(surfaces[name], level), _area(surfaces[name], None)]
            for name, values in numbers.items()
        ],
    )
    print(text)
    full = [name for name, surface in surfaces.items() if surface.is_saturated(level)]
    if full:
        print(f'Loss at most {level:.4g} on the whole square: {", ".join(full)}; use --span above {args.span:g}')
    record = dict(
        command=args.command,
        table=text,
        level=level,
        batches=len(batches),
        split=args.split,
        seed=args.seed,
        surfaces=numbers,
    )
    print('\n'.join(map(str, save_figure(draw_surfaces(surfaces, level), record, args.out, 'loss_surface'))))
    return surfaces


def _measure(model: nn.Module, checkpoint: str, batches: list[Any], args: argparse.Namespace, name: str) -> LossSurface:
    load_detector_weights(model, checkpoint, 'checkpoints')
    progress = _progress(name, args.points**2)
    surface = measure_surface(model, batches, args.points, args.span, args.seed, progress)
    if surface.centre == float('inf'):
        raise ConfigError(f'checkpoints: expected a finite loss, but that of {checkpoint} is not')
    return surface


def _numbers(surface: LossSurface, level: float) -> dict[str, Any]:
    losses = [[float(loss) if loss < float('inf') else None for loss in row] for row in surface.losses]
    return dict(
        centre=surface.centre,
        area=surface.area(level),
        own_area=surface.area(RELATIVE_LEVEL * surface.centre),
        axis=surface.axis.tolist(),
        losses=losses,
    )


def _area(surface: LossSurface, level: float | None) -> str:
    level = RELATIVE_LEVEL * surface.centre if level is None else level
    return f'{"at least " if surface.is_saturated(level) else ""}{surface.area(level):.2f}'


def _progress(name: str, total: int, every_seconds: float = 10.0) -> Callable[[int], None]:
    start = last = time.monotonic()

    def show(done: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= every_seconds or done == total:
            last = now
            left = (now - start) / done * (total - done)
            print(f'{name}  {done}/{total} points  {left:.0f} s left', file=sys.stderr, flush=True)

    return show
