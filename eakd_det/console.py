"""Console scripts, with imports only when they are called."""

from __future__ import annotations

from eakd_det.mm.required import run_main


def analyze() -> int:
    """Run ``eakd-analyze``."""
    return run_main('eakd_det.lab.analysis.command')
