"""From nothing to a distilled detector, with a table and a picture; see --help. `make demo` runs this."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if importlib.util.find_spec('eakd_det') is None:  # run from a checkout that is not installed
    sys.path.insert(0, str(ROOT))

if __name__ == '__main__':
    warnings.simplefilter('ignore')  # what is old in other packages is not what a demo is about
    from eakd_det.mm.required import run_main

    sys.exit(run_main('eakd_det.lab.demo.command', ROOT / 'configs' / 'demo'))
