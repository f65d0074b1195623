"""``python -m eakd_det SCRIPT ...``: run a script of another package after ``import eakd_det``.

MMRazor's ``tools/train.py`` needs it on torch >= 2: it imports MMRazor before the config's ``custom_imports``.
"""

from __future__ import annotations

import runpy
import sys

if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit('usage: python -m eakd_det SCRIPT [ARGUMENT ...]')
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name='__main__')
