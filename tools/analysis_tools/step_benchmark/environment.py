"""Shared command line and record of the benchmarks."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from mmengine.logging import MMLogger

from eakd_det.files import write_json
from eakd_det.mm.ops.finder import uses_python_ops


def add_scene_arguments(parser: argparse.ArgumentParser, pairs: Iterable[str], height: int, width: int) -> None:
    """Add the options for the pair of detectors and the size of the images."""
    parser.add_argument('--pair', choices=sorted(pairs), default='r101-r18')
    parser.add_argument('--height', type=int, default=height)
    parser.add_argument('--width', type=int, default=width)


def parse(parser: argparse.ArgumentParser, argv: list[str] | None, threads: int) -> argparse.Namespace:
    """Parse the command line with ``--threads`` and ``--out``; set the threads of torch and silence the log."""
    parser.add_argument('--threads', type=int, default=threads)
    parser.add_argument('--out', type=Path, help='write the record to this JSON file')
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    MMLogger.get_current_instance().setLevel('ERROR')
    return args


def publish(args: argparse.Namespace, table: str, **numbers: Any) -> None:
    """Print the table; with ``--out``, write it with its numbers and the environment to a JSON file.

    Args:
        args: Arguments of the script, as returned by :func:`parse`.
        table: The table in Markdown.
        **numbers: Further content of the record, ready for JSON.
    """
    print(table)
    if args.out:
        write_json(args.out, dict(environment=environment(args.threads), table=table, **numbers))


def environment(threads: int) -> dict[str, Any]:
    """Return command, versions and machine."""
    return dict(
        command=' '.join(['python', f'tools/analysis_tools/{Path(sys.argv[0]).name}', *sys.argv[1:]]),
        torch=torch.__version__,
        mmcv_ops='python' if uses_python_ops() else 'compiled',
        python=platform.python_version(),
        machine=f'{_processor()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}',
        threads=threads,
    )


def _processor() -> str:
    info = Path('/proc/cpuinfo')
    names = [line for line in info.read_text().splitlines() if line.startswith('model name')] if info.exists() else []
    return names[0].split(':', 1)[1].strip() if names else platform.machine()
