"""Check the data of a config and draw samples. See --help."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from pathlib import Path

if importlib.util.find_spec('eakd_det') is None:  # run from a checkout without installation
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

warnings.filterwarnings('ignore', message='pkg_resources is deprecated')  # a warning of other packages

from eakd_det.cli.check_data import main  # noqa: E402

if __name__ == '__main__':
    sys.exit(main())
