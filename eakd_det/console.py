"""Console scripts, with imports only when they are called."""

from __future__ import annotations

import sys

from eakd_det.mm.required import run_main
from eakd_det.paths import configs_dir


def analyze() -> int:
    """Run ``eakd-analyze``."""
    return run_main('eakd_det.lab.analysis.command')


def compare() -> int:
    """Run ``eakd-compare``."""
    return run_main('eakd_det.inspection.compare')


def distill() -> int:
    """Run ``eakd-distill``, or with ``--demo`` the demo, which takes the other arguments."""
    others = [argument for argument in sys.argv[1:] if argument != '--demo']
    if len(others) < len(sys.argv) - 1:
        return run_main('eakd_det.lab.demo.command', configs_dir() / 'demo', others)
    return run_main('eakd_det.onecall.command')


def explore() -> int:
    """Run ``eakd-explore``."""
    return run_main('eakd_det.inspection.explore')


def export() -> int:
    """Run ``eakd-export``."""
    return run_main('eakd_det.cli.export')
