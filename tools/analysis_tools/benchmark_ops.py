"""Time RoIAlign and NMS of the package against those of mmcv and torchvision, where installed.

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
from step_benchmark.environment import parse, publish  # noqa: E402
from step_benchmark.timing import format_spread, spread  # noqa: E402
from torch import Tensor  # noqa: E402

from eakd_det.mm.ops import finder  # noqa: E402
from eakd_det.mm.ops.nms import nms  # noqa: E402
from eakd_det.mm.ops.roi_align import roi_align  # noqa: E402
from eakd_det.mm.ops.torchvision_kernels import torchvision_ops  # noqa: E402
from eakd_det.tables import markdown_table  # noqa: E402

PACKAGE, CHANNELS_LAST = 'ours', 'ours, channels-last'
IMAGE = (800, 1344)
# Stride: number of RoIs, shortest and longest side. 512 RoIs in all, distributed as by FPN.
LEVELS = {4: (300, 16, 112), 8: (120, 112, 224), 16: (60, 224, 448), 32: (32, 448, 800)}
THRESHOLD = 0.7
Kernel = Callable[..., Tensor]


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--channels', type=int, default=256)
    parser.add_argument(
        '--boxes', type=int, default=8800, help='boxes for NMS; by default as many as an RPN passes on from five levels'
    )
    parser.add_argument('--rounds', type=int, default=9)
    return parse(parser, argv, threads=1)


def roi_align_kernels() -> dict[str, Kernel]:
    """Return the available kernels of RoIAlign, functions of features, RoIs and scale; the last is the reference."""
    kernels: dict[str, Kernel] = dict.fromkeys(
        (PACKAGE, CHANNELS_LAST), lambda maps, rois, s: roi_align(maps, rois, 7, s)
    )
    if (torchvision := torchvision_ops()) is not None:
        kernels['torchvision'] = lambda maps, rois, s: torchvision.roi_align(maps, rois, 7, s, aligned=True)
    if not finder.uses_python_ops():
        compiled = importlib.import_module('mmcv.ops').roi_align
        kernels['mmcv, compiled'] = lambda maps, rois, s: compiled(maps, rois, 7, s, 0, 'avg', True)
    return kernels


def nms_kernels() -> dict[str, Kernel]:
    """Return the available kernels of NMS, functions of boxes and scores; the last is the reference."""
    kernels: dict[str, Kernel] = {PACKAGE: lambda boxes, scores: nms(boxes, scores, THRESHOLD)}
    if (torchvision := torchvision_ops()) is not None:
        rounded = torch.tensor(THRESHOLD).item()  # to float32, as in mmcv
        kernels['torchvision'] = lambda boxes, scores: torchvision.nms(boxes, scores, rounded)
    if not finder.uses_python_ops():
        compiled = importlib.import_module('mmcv.ops').nms
        kernels['mmcv, compiled'] = lambda boxes, scores: compiled(boxes, scores, THRESHOLD)[1]
    return kernels


def make_pyramid(channels: int) -> list[tuple[Tensor, Tensor, float, Tensor]]:
    """Return features, RoIs, scale and the gradient of the output for each level."""
    random = torch.Generator().manual_seed(0)
    levels = []
    for stride, (count, shortest, longest) in LEVELS.items():
        maps = torch.randn(1, channels, *(side // stride for side in IMAGE), generator=random)
        size = torch.rand(count, 2, generator=random) * (longest - shortest) + shortest
        corner = torch.rand(count, 2, generator=random) * (torch.tensor(IMAGE[::-1]) - size).clamp(min=0)
        rois = torch.cat([torch.zeros(count, 1), corner, corner + size], 1)
        levels.append((maps, rois, 1 / stride, torch.randn(count, channels, 7, 7, generator=random)))
    return levels


def make_boxes(count: int) -> tuple[Tensor, Tensor]:
    """Return boxes and scores: about ten boxes per object, in five levels, offset as in ``batched_nms``."""
    random = torch.Generator().manual_seed(0)
    places = torch.rand(count // 10, 4, generator=random) * torch.tensor([1100.0, 600.0, 200.0, 200.0])
    places = places[torch.randint(len(places), (count,), generator=random)]
    corner = places[:, :2] + torch.randn(count, 2, generator=random) * 8
    size = places[:, 2:] + 16 + torch.randn(count, 2, generator=random) * 4
    level = torch.arange(count)[:, None] * 5 // count
    return torch.cat([corner, corner + size], 1) + level * 1345.0, torch.rand(count, generator=random)


def time_roi_align(
    kernel: Kernel, levels: list[tuple[Tensor, Tensor, float, Tensor]], layout: Any
) -> tuple[Any, list[Tensor]]:
    """Return the seconds of forward and backward pass over all levels, and outputs and gradients."""
    inputs = [maps.clone(memory_format=layout).requires_grad_() for maps, *_ in levels]
    start = time.perf_counter()
    outputs = [kernel(maps, rois, scale) for maps, (_, rois, scale, _) in zip(inputs, levels, strict=True)]
    middle = time.perf_counter()
    gradients = torch.autograd.grad(outputs, inputs, [gradient for *_, gradient in levels])
    times = dict(forward=middle - start, backward=time.perf_counter() - middle)
    return times, [*(out.detach() for out in outputs), *gradients]


def time_nms(kernel: Kernel, boxes: Tensor, scores: Tensor) -> tuple[Any, list[Tensor]]:
    """Return the seconds and the kept indices."""
    start = time.perf_counter()
    kept = kernel(boxes, scores)
    return dict(forward=time.perf_counter() - start), [kept]


def interleave(
    op: str, arms: Mapping[str, Callable[[], tuple[Any, list[Tensor]]]], rounds: int
) -> list[dict[str, Any]]:
    """Time the arms interleaved after a warm-up; every other round runs in reverse order.

    Returns:
        A row for each pass of each arm; ratios to the last arm are taken in each round.
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
    """Return the rows as a Markdown table."""
    headings = ['op', 'kernel', 'ms (min to max)', f'÷ {rows[0]["reference"]}', 'largest difference']
    lines = []
    for row in rows:
        time = format_spread(row['seconds'], digits=0, factor=1000)
        lines.append([row['op'], row['arm'], time, f'{row["relative"]["median"]:.2f}', f'{row["difference"]:.0e}'])
    return markdown_table(headings, lines, texts=(0, 1))


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark."""
    args = parse_args(argv)
    levels, boxes = make_pyramid(args.channels), make_boxes(args.boxes)
    layouts = {CHANNELS_LAST: torch.channels_last}
    rows = interleave(
        'RoIAlign',
        {
            name: functools.partial(time_roi_align, kernel, levels, layouts.get(name, torch.contiguous_format))
            for name, kernel in roi_align_kernels().items()
        },
        args.rounds,
    )
    suppressors = {name: functools.partial(time_nms, kernel, *boxes) for name, kernel in nms_kernels().items()}
    rows += interleave('NMS', suppressors, args.rounds)
    publish(args, markdown(rows), rows=rows)


if __name__ == '__main__':
    main()
