"""Train arms with several seeds and compare them in a table. See --help and docs/experiments.md."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from pathlib import Path

if importlib.util.find_spec('eakd_det') is None:  # run from a checkout without installation
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

if __name__ == '__main__':
    warnings.simplefilter('ignore')  # warnings of other packages; every run has its own console log
    from eakd_det.mm.required import run_main

    sys.exit(run_main('eakd_det.lab.experiment.command'))
