"""Train a teacher and a student on your own data in one go. See --help."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

if importlib.util.find_spec('eakd_det') is None:  # run from a checkout without installation
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from eakd_det.console import distill

if __name__ == '__main__':
    sys.exit(distill())
