"""Failures of one of several processes."""

from __future__ import annotations

import os
import time
from pathlib import Path


def happen(kind: str, work_dir: Path) -> None:
    """Raise, hang, or write the process id to ``work_dir / 'victim'`` and wait for a signal."""
    if kind == 'raise':
        raise RuntimeError('the disk is on fire')
    if kind == 'mark':
        (work_dir / 'victim.part').write_text(str(os.getpid()))
        (work_dir / 'victim.part').rename(work_dir / 'victim')
    time.sleep(3600)
