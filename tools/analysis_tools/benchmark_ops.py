"""Time RoIAlign and NMS, ours beside the compiled kernels of mmcv and torchvision where these are installed.

python tools/analysis_tools/benchmark_ops.py --out docs/records/speed-ops.json
"""

from __future__ import annotations

import argparse
import functools
import importlib
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT)]

import torch  # noqa: E402
from step_benchmark.environment import publish  # noqa: E402
from step_benchmark.timing import spread  # noqa: E402
from torch import Tensor  # noqa: E402

from eakd_det.mm.ops import finder  # noqa: E402
from eakd_det.mm.ops.nms import nms  # noqa: E402
from eakd_det.mm.ops.roi_align import roi_align  # noqa: E402
from eakd_det.mm.ops.torchvision_kernels import torchvision_ops  # noqa: E402
from eakd_det.tables import markdown_table  # noqa: E402

OURS, CHANNELS_LAST = 'ours', 'ours, channels-last'
IMAGE = (800, 1344)
# Stride: RoIs, least and greatest side. 512 RoIs, spread as FPN spreads them.
LEVELS = {4: (300, 16, 112), 8: (120, 112, 224), 16: (60, 224, 448), 32: (32, 448, 800)}
THRESHOLD = 0.7
Kernel = Callable[..., Tensor]


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--channels', type=int, default=256)
    parser.add_argument('--boxes', type=int, default=8800, help='for NMS: what an RPN passes from five levels')
    parser.add_argument('--rounds', type=int, default=9)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--out', type=Path, help='write the record to this JSON file')
    return parser.parse_args(argv)


def roi_align_kernels() -> dict[str, Kernel]:
    """All forms of RoIAlign at hand; each takes features, RoIs and the scale. The last one is the reference."""
    kernels: dict[str, Kernel] = dict.fromkeys((OURS, CHANNELS_LAST), lambda maps, rois, s: roi_align(maps, rois, 7, s))
    if (torchvision := torchvision_ops()) is not None:
        kernels['torchvision'] = lambda maps, rois, s: torchvision.roi_align(maps, rois, 7, s, aligned=True)
    if not finder.uses_python_ops():
        compiled = importlib.import_module('mmcv.ops').roi_align
        kernels['mmcv, compiled'] = lambda maps, rois, s: compiled(maps, rois, 7, s, 0, 'avg', True)
    return kernels


def nms_kernels() -> dict[str, Kernel]:
    """All forms of NMS at hand; each takes boxes and scores. The last one is the reference."""
    kernels: dict[str, Kernel] = {OURS: lambda boxes, scores: nms(boxes, scores, THRESHOLD)}
    if (torchvision := torchvision_ops()) is not None:
        rounded = torch.tensor(THRESHOLD).item()  # as mmcv compares
        kernels['torchvision'] = lambda boxes, scores: torchvision.nms(boxes, scores, rounded)
    if not finder.uses_python_ops():
        compiled = importlib.import_module('mmcv.ops').nms
        kernels['mmcv, compiled'] = lambda boxes, scores: compiled(boxes, scores, THRESHOLD)[1]
    return kernels


def pyramid(channels: int) -> list[tuple[Tensor, Tensor, float, Tensor]]:
    """Features, RoIs, scale and the gradient of what is pooled, for each level."""
    random = torch.Generator().manual_seed(0)
    levels = []
    for stride, (count, least, greatest) in LEVELS.items():
        maps = torch.randn(1, channels, *(side // stride for side in IMAGE), generator=random)
        size = torch.rand(count, 2, generator=random) * (greatest - least) + least
        corner = torch.rand(count, 2, generator=random) * (torch.tensor(IMAGE[::-1]) - size).clamp(min=0)
        rois = torch.cat([torch.zeros(count, 1), corner, corner + size], 1)
        levels.append((maps, rois, 1 / stride, torch.randn(count, channels, 7, 7, generator=random)))
    return levels


def level_boxes(count: int) -> tuple[Tensor, Tensor]:
    """Boxes and scores: about ten boxes at each place, five levels set apart as ``batched_nms`` sets them apart."""
    random = torch.Generator().manual_seed(0)
    places = torch.rand(count // 10, 4, generator=random) * torch.tensor([1100.0, 600.0, 200.0, 200.0])
    places = places[torch.randint(len(places), (count,), generator=random)]
    corner = places[:, :2] + torch.randn(count, 2, generator=random) * 8
    size = places[:, 2:] + 16 + torch.randn(count, 2, generator=random) * 4
    level = torch.arange(count)[:, None] * 5 // count
    return torch.cat([corner, corner + size], 1) + level * 1345.0, torch.rand(count, generator=random)


def pool(kernel: Kernel, levels: list[tuple[Tensor, Tensor, float, Tensor]], layout: Any) -> tuple[Any, list[Tensor]]:
    """Seconds of forward and backward over all levels, and outputs and gradients."""
    inputs = [maps.clone(memory_format=layout).requires_grad_() for maps, *_ in levels]
    start = time.perf_counter()
    outputs = [kernel(maps, rois, scale) for maps, (_, rois, scale, _) in zip(inputs, levels, strict=True)]
    middle = time.perf_counter()
    gradients = torch.autograd.grad(outputs, inputs, [gradient for *_, gradient in levels])
    times = dict(forward=middle - start, backward=time.perf_counter() - middle)
    return times, [*(out.detach() for out in outputs), *gradients]


def suppress(kernel: Kernel, boxes: Tensor, scores: Tensor) -> tuple[Any, list[Tensor]]:
    """Seconds, and the kept indices."""
    start = time.perf_counter()
    kept = kernel(boxes, scores)
    return dict(forward=time.perf_counter() - start), [kept]


def in_turn(op: str, arms: Mapping[str, Callable[[], tuple[Any, list[Tensor]]]], rounds: int) -> list[dict[str, Any]]:
    """One row for each part of each arm, which run in turn, every other round in reverse order, after a warm-up.

    Ratios to the last arm are taken round by round.
    """
    seconds: dict[str, list[dict[str, float]]] = {name: [] for name in arms}
    results = {}
    for index in range(-1, rounds):
        for name in list(arms) if index % 2 else list(arms)[::-1]:
            times, results[name] = arms[name]()
            if index >= 0:
                seconds[name].append(times)
    reference = list(arms)[-1]
    return [
        dict(
            op=f'{op}, {part}' if part == 'backward' else op,
            arm=name,
            seconds=spread([times[part] for times in seconds[name]]),
            reference=reference,
            relative=spread([a[part] / b[part] for a, b in zip(seconds[name], seconds[reference], strict=True)]),
            difference=max(_difference(a, b) for a, b in zip(results[name], results[reference], strict=True)),
        )
        for part in seconds[reference][0]
        for name in arms
    ]


def _difference(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max()) if one.shape == other.shape else float('inf')


def markdown(rows: list[dict[str, Any]]) -> str:
    """The rows as a table."""
    headings = ['op', 'kernel', 'ms (min to max)', f'÷ {rows[0]["reference"]}', 'largest difference']
    lines = []
    for row in rows:
        ms = {key: 1000 * value for key, value in row['seconds'].items()}
        time = f'{ms["median"]:.0f} ({ms["min"]:.0f} to {ms["max"]:.0f})'
        lines.append([row['op'], row['arm'], time, f'{row["relative"]["median"]:.2f}', f'{row["difference"]:.0e}'])
    return markdown_table(headings, lines, texts=(0, 1))


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark."""
    args = parse_args(argv)
    torch.set_num_threads(args.threads)
    levels, boxes = pyramid(args.channels), level_boxes(args.boxes)
    layouts = {CHANNELS_LAST: torch.channels_last}
    rows = in_turn(
        'RoIAlign',
        {
            name: functools.partial(pool, kernel, levels, layouts.get(name, torch.contiguous_format))
            for name, kernel in roi_align_kernels().items()
        },
        args.rounds,
    )
    suppressors = {name: functools.partial(suppress, kernel, *boxes) for name, kernel in nms_kernels().items()}
    rows += in_turn('NMS', suppressors, args.rounds)
    publish('benchmark_ops.py', args, markdown(rows), rows=rows)


if __name__ == '__main__':
    main()
