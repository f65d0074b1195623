"""The scripts in docs/examples run, and print what their page shows."""

from __future__ import annotations

import importlib.util
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


def test_methods_of_classification(tmp_path):
    """The tables and the record; what they say is in docs/classification.md."""
    script = ROOT / 'docs/examples/classification_methods.py'
    spec = importlib.util.spec_from_file_location('classification_methods', script)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    example.STEPS = 3
    runs = [example.run(seed) for seed in range(2)]
    assert all(name in runs[0] and other in runs[0] for name, other in example.COMPARISONS)
    assert all(0 <= value <= 100 for found in runs for value in found.values())
    assert runs[0] == example.run(0)
    compared = example.compare([{name: seed + index for index, name in enumerate(runs[0])} for seed in (0, 1)])
    assert compared[0]['low'] == compared[0]['mean'] == compared[0]['high']
