from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

import pytest
from eakd_setup import mmcv_wheel
from eakd_setup.checks import GIB
from eakd_setup.mmcv_wheel import MmcvWheels, build_environment, compile_jobs

TAG = f'cp{sys.version_info[0]}{sys.version_info[1]}'


@pytest.fixture
def wheels(tmp_path):
    folder = tmp_path / '.wheels'
    folder.mkdir()
    return MmcvWheels(folder, Path(sys.executable), 'mmcv==2.1.0', ['--no-index'], tmp_path / 'log')


def make_wheel(folder: Path, tag: str) -> Path:
    """Make a wheel that pip accepts as mmcv 2.1.0 for any system."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f'mmcv-2.1.0-{tag}-none-any.whl'
    with zipfile.ZipFile(path, 'w') as wheel:
        wheel.writestr('mmcv-2.1.0.dist-info/METADATA', 'Metadata-Version: 2.1\nName: mmcv\nVersion: 2.1.0\n')
        wheel.writestr('mmcv-2.1.0.dist-info/WHEEL', f'Wheel-Version: 1.0\nTag: {tag}-none-any\n')
        wheel.writestr('mmcv-2.1.0.dist-info/RECORD', '')
    return path


def test_jobs_follow_cores_and_memory():
    assert compile_jobs(cores=8, memory=64 * GIB) == 8
    assert compile_jobs(cores=8, memory=2.5 * GIB) == 2
    assert compile_jobs(cores=2, memory=0.5 * GIB) == 1
    assert compile_jobs() >= 1


def test_build_environment_keeps_what_the_user_set(monkeypatch, tmp_path):
    monkeypatch.setenv('CFLAGS', '-O1')
    monkeypatch.setenv('MAX_JOBS', '7')
    monkeypatch.delenv('CXX', raising=False)

    env = build_environment(tmp_path, 'g++')

    assert env['CFLAGS'] == '-O1 -g0'
    assert env['MAX_JOBS'] == '7'
    assert env['CXX'] == 'g++'
    assert env['MMCV_WITH_OPS'] == '1'
    assert env['PATH'].split(os.pathsep)[0] == str(tmp_path / 'bin')


def test_cache_is_by_torch_and_python(wheels):
    here = make_wheel(wheels.folder / 'torch-2.13.0+cpu', TAG)
    make_wheel(wheels.folder / 'torch-2.13.0+cpu', 'cp27')

    assert wheels.cached() == [here]
    assert wheels.cached('2.13.0+cpu') == [here]
    assert wheels.cached('2.12.0+cpu') == []


def test_a_wheel_in_the_extra_folder_is_found(wheels, tmp_path):
    make_wheel(tmp_path / 'extra', TAG)

    found = wheels.download(tmp_path / 'extra')

    assert [path.parent for path in found] == [wheels.folder / 'found']


@pytest.mark.parametrize('extra', ['not-there', 'other-python'])
def test_no_wheel_at_hand(wheels, tmp_path, extra):
    make_wheel(tmp_path / 'other-python', 'cp27')

    assert wheels.download(tmp_path / extra) == []


def test_what_a_user_told_pip_counts(wheels, tmp_path, monkeypatch):
    make_wheel(tmp_path / 'mine', TAG)
    monkeypatch.setenv('PIP_FIND_LINKS', str(tmp_path / 'mine'))

    assert len(wheels.download(tmp_path / 'not-there')) == 1


def test_the_installed_mmcv_works_and_another_version_would_not(wheels, tmp_path):
    assert wheels.works()
    assert not MmcvWheels(wheels.folder, wheels.python, 'mmcv==2.0.0', [], tmp_path / 'log').works()


def test_free_memory_is_plausible():
    assert 0.05 * GIB < mmcv_wheel._free_memory() < 100_000 * GIB
