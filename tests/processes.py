"""Run Python in a fresh interpreter, with some packages blocked."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from eakd_det.mm.ops.finder import uses_python_ops

ROOT = Path(__file__).resolve().parents[1]
# Without this package MMDetection cannot be imported with mmcv-lite.
needs_compiled_ops = pytest.mark.skipif(uses_python_ops(), reason='mmcv has no compiled ops')
_ABSENT = """
import importlib.machinery, sys
class Absent(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition('.')[0] in {names!r} else super().find_spec(name, path, target)
sys.meta_path[:] = [Absent if finder is importlib.machinery.PathFinder else finder for finder in sys.meta_path]
"""


def without_packages(names: Sequence[str]) -> str:
    """Return code that makes what follows run as if the packages ``names`` were not installed."""
    return _ABSENT.format(names=tuple(names))


def run_python(code: str, without: Sequence[str] = ()) -> Any:
    """Return the JSON that the last line of ``code`` prints, run as if the packages ``without`` were not installed."""
    result = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', without_packages(without) + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])
