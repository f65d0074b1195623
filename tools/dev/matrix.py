"""Run the test suite in one environment and add the result to docs/records/matrix.json, a record for `make tables`.

python3.12 tools/dev/matrix.py --torch 2.15.0                     in a new environment
python3.11 tools/dev/matrix.py --extra mm --pip-args mmcv-2.1.0-....whl
python3.11 tools/dev/matrix.py --venv folder                      in an existing environment
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECORD = ROOT / 'docs' / 'records' / 'matrix.json'
VERSIONS = """
import importlib.metadata as metadata, json, platform, torch
versions = {d.metadata['Name'].lower(): d.version for d in metadata.distributions()}
mmcv = next((f'{name} {versions[name]}' for name in ('mmcv', 'mmcv-lite', 'onedl-mmcv') if name in versions), 'none')
torchvision = versions.get('torchvision', 'none')
print(json.dumps(dict(python=platform.python_version(), torch=torch.__version__, torchvision=torchvision, mmcv=mmcv)))
"""
COUNTS = ('passed', 'failed', 'skipped', 'seconds')


def run_suite(python: Path, pytest_args: list[str]) -> dict[str, str | int]:
    """Run the suite and return its row: versions, and numbers of passed, failed and skipped tests."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / 'report.xml'
        command = [str(python), '-m', 'pytest', f'--junitxml={report}', *pytest_args]
        env = {**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'}
        subprocess.run(command, cwd=ROOT, env=env)
        suite = ET.parse(report).getroot()[0]
        versions = json.loads(subprocess.check_output([str(python), '-c', VERSIONS], text=True))
    total, skipped = int(suite.attrib['tests']), int(suite.attrib['skipped'])
    failed = int(suite.attrib['failures']) + int(suite.attrib['errors'])
    counts = (total - failed - skipped, failed, skipped, round(float(suite.attrib['time'])))
    return {**versions, **dict(zip(COUNTS, counts, strict=True))}


def add_row(row: dict[str, str | int]) -> None:
    """Add the row to the record, replacing one with the same versions."""
    rows = json.loads(RECORD.read_text())['rows'] if RECORD.exists() else []
    versions = [name for name in row if name not in COUNTS]
    rows = [old for old in rows if any(old[name] != row[name] for name in versions)] + [row]
    rows.sort(
        key=lambda each: ([int(part) for part in str(each['python']).split('.')], str(each['torch']), each['mmcv'])
    )
    table = [f'| {" | ".join(row)} |', '| --- | --- | --- | --- | ---: | ---: | ---: | ---: |']
    table += [f'| {" | ".join(str(value) for value in each.values())} |' for each in rows]
    record = {'rows': rows, 'table': '\n'.join(table), 'command': 'python tools/dev/matrix.py'}
    RECORD.write_text(json.dumps(record, indent=1) + '\n')
    print(json.dumps(row))


def main() -> None:
    """Create the environment if necessary, run the suite and record the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--venv', type=Path, help='an existing environment (default: create one)')
    parser.add_argument('--pytest-args', default="-m 'not slow' -n auto --dist worksteal")
    args, setup_args = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        venv = args.venv or Path(folder) / 'venv'
        if not args.venv:
            bootstrap = [sys.executable, str(ROOT / 'tools/dev/bootstrap.py'), '--venv', str(venv), *setup_args]
            subprocess.run(bootstrap, check=True)
        add_row(run_suite(venv / 'bin' / 'python', shlex.split(args.pytest_args)))


if __name__ == '__main__':
    main()
