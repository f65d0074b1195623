"""Set up ``.venv`` in this checkout: ``python3.11 tools/dev/bootstrap.py`` (``make`` calls it for you).

Runs on any Python >= 3.8 with nothing but the standard library, so that a Python which is too old for the project can
say so. The work is done in the package beside this file.
"""

from __future__ import annotations

import os
import sys

if __name__ == '__main__':
    if os.name != 'posix':
        sys.exit('Set-up stopped: it runs on Linux and macOS; on Windows use WSL.')
    from eakd_setup.main import main

    sys.exit(main())
