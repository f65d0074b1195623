"""The scripts in docs/examples run, and print what their page shows."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.processes import ROOT

ACCURACY = re.compile(r'^(teacher|student(?: with [\w-]+)?) +(0\.\d{3})$', re.MULTILINE)


def test_classification():
    shown = dict(ACCURACY.findall((ROOT / 'docs/classification.md').read_text()))
    result = subprocess.run(
        [sys.executable, '-W', 'ignore', 'docs/examples/classification.py'], capture_output=True, text=True, cwd=ROOT
    )

    assert result.returncode == 0, result.stderr
    measured = {name: float(value) for name, value in ACCURACY.findall(result.stdout)}
    assert list(measured) == list(shown)
    for name, value in shown.items():
        assert measured[name] == pytest.approx(float(value), abs=0.05)  # another machine rounds otherwise
    assert measured['student with KD'] > measured['student'] + 0.05
