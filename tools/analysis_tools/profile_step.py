"""Profile the parts of a training step, of a config on its data or of a pair on a random batch.

    python tools/analysis_tools/profile_step.py --pair r101-r18
    python tools/analysis_tools/profile_step.py --config configs/demo/ea-kd_faster-rcnn_r18w32-r18w16_fpn_demo.py \
        --cfg-options data_root=work_dirs/demo/data model.teacher_ckpt=work_dirs/demo/teacher/seed-0/iter_300.pth
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT)]

from mmengine.config import DictAction  # noqa: E402
from mmengine.hooks import Hook  # noqa: E402
from step_benchmark import arms  # noqa: E402
from step_benchmark.environment import parse, publish  # noqa: E402
from step_benchmark.scene import PAIRS, make_scene  # noqa: E402
from step_benchmark.sections import Sections  # noqa: E402
from step_benchmark.timing import run_step  # noqa: E402

from eakd_det.cli.config import merge_options, read_config  # noqa: E402
from eakd_det.cli.running import build_runner  # noqa: E402
from eakd_det.datasets import apply_data_options  # noqa: E402
from eakd_det.tables import markdown_table  # noqa: E402

BACKWARD, OPTIMIZER, DATA = 'backward pass', 'optimizer', 'waiting for data'


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument('--pair', choices=sorted(PAIRS), help='EA-KD of this pair on a random batch')
    source.add_argument('--config', help='a config, on its own data')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, help='as in tools/train.py')
    parser.add_argument('--height', type=int, default=800, help='of the images of --pair (default: 800)')
    parser.add_argument('--width', type=int, default=1344, help='of the images of --pair (default: 1344)')
    parser.add_argument('--images', type=int, default=1, help='batch size of --pair (default: 1)')
    parser.add_argument('--steps', type=int, default=10, help='counted steps (default: 10)')
    parser.add_argument('--warmup', type=int, default=2, help='steps before them (default: 2)')
    return parse(parser, argv, threads=2)


class ProfileHook(Hook):
    """Discard the warm-up steps, and count the time between steps as waiting for data."""

    priority = 'VERY_LOW'

    def __init__(self, sections: Sections, warmup: int) -> None:
        self._sections = sections
        self._warmup = warmup
        self._end = self.start = time.perf_counter()

    def before_train(self, runner: Any) -> None:
        """Wrap the parts of model and optimizer."""
        self._sections.watch(runner.model)
        self._sections.wrap(runner.optim_wrapper, 'backward', BACKWARD)
        self._sections.wrap(runner.optim_wrapper, 'step', OPTIMIZER)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Add the time since the last step."""
        if batch_idx == self._warmup:
            self._sections.seconds.clear()
            self.start = self._end
        self._sections.seconds[DATA] += time.perf_counter() - self._end

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        """Record the end of the step."""
        self._end = time.perf_counter()


def profile_config(args: argparse.Namespace) -> tuple[Sections, float]:
    """Train ``--config``; return the sections and the seconds of the counted steps."""
    cfg = read_config(args.config)
    cfg.launcher = 'none'
    merge_options(cfg, args.cfg_options)
    cfg = apply_data_options(cfg, 'train')
    iters = args.warmup + args.steps
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=iters, val_begin=iters + 1)  # no validation
    sections = Sections()
    with tempfile.TemporaryDirectory() as work_dir:
        cfg.work_dir = work_dir
        runner = build_runner(cfg)
        hook = ProfileHook(sections, args.warmup)
        runner.register_hook(hook)
        runner.train()
    return sections, hook._end - hook.start


def profile_pair(args: argparse.Namespace) -> tuple[Sections, float]:
    """Run EA-KD steps of ``--pair`` without data loading and optimizer; return sections and seconds."""
    scene = make_scene(args.pair, args.height, args.width, args.images, 512)
    model = arms.build_arm(arms.EA_KD, scene)
    sections = Sections()
    sections.watch(model)
    for _ in range(args.warmup):
        run_step(model, scene.data)
    sections.seconds.clear()
    start = time.perf_counter()
    for _ in range(args.steps):
        _, backward = run_step(model, scene.data)
        sections.seconds[BACKWARD] += backward
    return sections, time.perf_counter() - start


def make_rows(sections: Sections, total: float, steps: int) -> list[dict[str, Any]]:
    """Return milliseconds per step and share of each part and of the rest, largest first."""
    seconds = {**sections.seconds, 'anything else': total - sum(sections.seconds.values())}
    rows = [dict(part=name, ms=1000 * value / steps, share=value / total) for name, value in seconds.items()]
    return sorted(rows, key=lambda row: -row['share'])


def markdown(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a Markdown table."""
    lines = [[row['part'], f'{row["ms"]:.1f}', f'{100 * row["share"]:.1f} %'] for row in rows]
    lines.append(['all', f'{sum(row["ms"] for row in rows):.1f}', '100 %'])
    return markdown_table(['part', 'ms per step', 'share'], lines)


def main(argv: list[str] | None = None) -> None:
    """Run the profile."""
    args = parse_args(argv)
    sections, total = profile_pair(args) if args.pair else profile_config(args)
    rows = make_rows(sections, total, args.steps)
    publish(args, markdown(rows), rows=rows)


if __name__ == '__main__':
    main()
