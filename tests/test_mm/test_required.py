"""What a user reads who has not installed OpenMMLab's packages."""

from __future__ import annotations

import subprocess
import sys

import pytest

from eakd_det.names import OPENMMLAB_ROOMS
from tests.processes import ROOT, without_packages

LITE = "eakd_det needs mmcv: pip install 'eakd-det[lite]' (or a compiled mmcv 2.1.0)"
MM = "eakd_det needs {}: pip install 'eakd-det[mm]'"
ALL = ('mmcv', 'mmengine', 'mmdet', 'mmrazor')


def _run(code: str, without: tuple[str, ...], *argv: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, '-W', 'ignore', '-c', without_packages(without) + code, *argv]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.parametrize('what', [*(f'import eakd_det.{room}' for room in OPENMMLAB_ROOMS), 'eakd_det.CocoEvalHook'])
def test_a_room_that_needs_openmmlab_says_what_to_type(what):
    result = _run(f'import eakd_det\n{what}', ALL)

    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == f'eakd_det.mm.required.MissingPackageError: {LITE}'


@pytest.mark.parametrize('package', ALL)
def test_the_first_missing_package_is_named(package):
    result = _run('import eakd_det.distillation', (package,))

    expected = LITE if package == 'mmcv' else MM.format(package)
    assert result.stderr.splitlines()[-1] == f'eakd_det.mm.required.MissingPackageError: {expected}'


@pytest.mark.parametrize('tool', ['train', 'test', 'demo', 'experiment'])
def test_a_tool_prints_the_line_and_ends_with_status_1(tool):
    code = f"import runpy, sys\nsys.argv[0] = 'tools/{tool}.py'\nrunpy.run_path(sys.argv[0], run_name='__main__')"
    result = _run(code, ALL, 'config.py')

    assert result.returncode == 1
    assert result.stderr == f'Error: {LITE}\n'


def test_a_console_script_prints_the_line_and_ends_with_status_1():
    result = _run('import sys\nfrom eakd_det.console import analyze\nsys.exit(analyze())', ALL, 'collect')

    assert result.returncode == 1
    assert result.stderr == f'Error: {LITE}\n'
