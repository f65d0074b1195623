"""What a checkout's virtual environment was set up for, and how far that went."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

from eakd_setup.checks import dotted

ROOT = Path(__file__).resolve().parents[3]


class State:
    """The stamp file in ``.venv``: the key it was set up for and the step it is in.

    A step that was interrupted stays named in ``running``; a later set-up then knows what it cannot trust.
    """

    def __init__(self, venv: Path) -> None:
        self.path = venv / 'eakd-setup.json'

    def read(self) -> dict[str, str]:
        """Return what the stamp says, or nothing if there is none (or half of one)."""
        try:
            stamp = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) else {}

    def write(self, **stamp: str) -> None:
        """Replace the stamp, wholly or not at all."""
        new = self.path.with_suffix('.tmp')
        new.write_text(json.dumps(stamp))
        os.replace(new, self.path)


def setup_key(root: Path = ROOT) -> str:
    """Return a hash of all that decides what the virtual environment holds; time stamps don't count.

    That is the pins, this set-up itself, ``setup.py``, the Python version, and the place of the checkout, since a
    virtual environment cannot be moved.
    """
    digest = hashlib.sha256(f'{root}|{dotted(tuple(sys.version_info[:2]))}'.encode())
    files = [*(root / 'requirements').glob('*.txt'), *(root / 'tools' / 'dev').rglob('*.py'), root / 'setup.py']
    for file in sorted(files):
        if file.exists():
            digest.update(f'|{file.relative_to(root)}|'.encode() + file.read_bytes())
    return digest.hexdigest()
