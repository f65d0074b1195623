"""Train teacher, student and EA-KD on generated data and compare them; run by `make demo`. See --help."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if importlib.util.find_spec('eakd_det') is None:  # run from a checkout without installation
    sys.path.insert(0, str(ROOT))

if __name__ == '__main__':
    warnings.simplefilter('ignore')  # deprecation warnings of other packages
    from eakd_det.mm.required import run_main

    sys.exit(run_main('eakd_det.lab.demo.command', ROOT / 'configs' / 'demo'))
