"""Train a grid of arms and seeds and compare them in one table; see --help and docs/experiments.md."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from pathlib import Path

if importlib.util.find_spec('eakd_det') is None:  # run from a checkout that is not installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == '__main__':
    warnings.simplefilter('ignore')  # of other packages; every run has a console log of its own
    from eakd_det.mm.required import run_main

    sys.exit(run_main('eakd_det.lab.experiment.command'))
