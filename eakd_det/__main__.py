"""``python -m eakd_det SCRIPT ...``: run a script of another package after ``import eakd_det``.

MMRazor's ``tools/train.py`` needs it on torch >= 2: it imports MMRazor before the config's ``custom_imports``.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

_USAGE = 'usage: python -m eakd_det SCRIPT [ARGUMENT ...]'

if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit(_USAGE)
    if not Path(sys.argv[1]).is_file():
        sys.exit(f'{_USAGE}\nexpected a script, but there is no file {sys.argv[1]}')
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name='__main__')
