"""What a measured time depends on."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import Any

import torch


def environment(script: str, threads: int) -> dict[str, Any]:
    """Command, versions and machine, for the record of a benchmark.

    Args:
        script: Name of the script in ``tools/analysis_tools``.
        threads: Threads that torch computes with.
    """
    return dict(
        command=' '.join(['python', f'tools/analysis_tools/{script}', *sys.argv[1:]]),
        torch=torch.__version__,
        python=platform.python_version(),
        machine=f'{_processor()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}',
        threads=threads,
    )


def _processor() -> str:
    info = Path('/proc/cpuinfo')
    names = [line for line in info.read_text().splitlines() if line.startswith('model name')] if info.exists() else []
    return names[0].split(':', 1)[1].strip() if names else platform.machine()
