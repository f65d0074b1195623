"""The record of a benchmark, and what its times depend on."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path
from typing import Any

import torch

from eakd_det.files import write_json
from eakd_det.mm.ops.finder import uses_python_ops


def publish(script: str, args: argparse.Namespace, table: str, **numbers: Any) -> None:
    """Print the table, and write it with the numbers behind it to ``args.out`` if that is set.

    Args:
        script: Name of the script in ``tools/analysis_tools``.
        args: Its arguments, with ``out`` and ``threads``.
        table: The table in Markdown.
        **numbers: What else the record holds, ready for JSON.
    """
    print(table)
    if args.out:
        record = dict(environment=environment(script, args.threads), table=table, **numbers)
        write_json(args.out, record)


def environment(script: str, threads: int) -> dict[str, Any]:
    """Command, versions and machine, for the record of a benchmark.

    Args:
        script: Name of the script in ``tools/analysis_tools``.
        threads: Threads that torch computes with.
    """
    return dict(
        command=' '.join(['python', f'tools/analysis_tools/{script}', *sys.argv[1:]]),
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
