"""Check the data of a config, and draw some of it. See --help."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from pathlib import Path

if importlib.util.find_spec('eakd_det') is None:  # run from a checkout that is not installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

warnings.filterwarnings('ignore', message='pkg_resources is deprecated')  # not the user's concern, nor ours

from eakd_det.cli.check_data import main  # noqa: E402

if __name__ == '__main__':
    sys.exit(main())
