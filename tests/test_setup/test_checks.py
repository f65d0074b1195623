from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace

import pytest
from eakd_setup import checks
from eakd_setup.checks import GIB, SetupError

ROOT = Path(__file__).resolve().parents[2]
needs_compiler = pytest.mark.skipif(shutil.which('c++') is None, reason='no C++ compiler on this machine')


def fake_program(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f'#!/bin/sh\n{script}\n')
    program.chmod(0o755)


def fake_disk(monkeypatch, free: float) -> None:
    monkeypatch.setattr(checks.shutil, 'disk_usage', lambda path: SimpleNamespace(free=free))


@pytest.mark.parametrize('version', checks.WORKING_PYTHONS)
def test_a_working_python_passes(version):
    checks.check_python(version)


@pytest.mark.parametrize(('version', 'shown'), [((3, 9, 18), '3.9'), ((3, 14), '3.14')])
def test_a_wrong_python_is_named_with_one_at_hand(monkeypatch, version, shown):
    monkeypatch.setattr(checks, '_runs', lambda name: name == 'python3.11')

    with pytest.raises(SetupError, match=rf'this is {shown} .*Run: make PYTHON=python3\.11') as caught:
        checks.check_python(version)
    assert '\n' not in str(caught.value)


def test_a_wrong_python_alone_on_the_machine(monkeypatch):
    monkeypatch.setattr(checks, '_runs', lambda name: False)

    with pytest.raises(SetupError, match=r'Install Python 3\.11'):
        checks.check_python((3, 8))


def test_the_set_up_parses_on_python_3_8():
    files = sorted((ROOT / 'tools' / 'dev').rglob('*.py'))

    assert files
    for file in files:
        ast.parse(file.read_text(), feature_version=(3, 8))


@pytest.mark.parametrize('name', ['python3.8', 'python3.9'])
def test_an_old_python_gets_the_message_and_not_a_traceback(name):
    if not checks._runs(name):
        pytest.skip(f'{name} is not on this machine')

    result = subprocess.run([name, str(ROOT / 'tools/dev/bootstrap.py')], capture_output=True, text=True)

    assert result.returncode == 1
    assert 'Set-up stopped: Python 3.10' in result.stderr
    assert 'Traceback' not in result.stderr


def test_a_shim_that_does_not_run_is_not_at_hand(monkeypatch, tmp_path):
    fake_program(tmp_path, 'python3.11', 'exit 127')
    monkeypatch.setenv('PATH', str(tmp_path))

    assert not checks._runs('python3.11')


def test_too_little_disk_says_how_much_is_needed_and_where(monkeypatch, tmp_path):
    fake_disk(monkeypatch, 1.5 * GIB)

    with pytest.raises(SetupError, match=r'4 GiB.*only 1\.5 GiB are free in ' + str(tmp_path)):
        checks.check_disk(tmp_path / 'not' / 'there' / 'yet')


def test_enough_disk_passes(monkeypatch, tmp_path):
    fake_disk(monkeypatch, checks.NEED_CPU)

    checks.check_disk(tmp_path)


def test_too_little_room_for_downloads(monkeypatch):
    fake_disk(monkeypatch, 0.5 * GIB)

    with pytest.raises(SetupError, match='set TMPDIR'):
        checks.check_tmp()


def test_a_python_without_ensurepip_is_told_which_package_to_install(monkeypatch):
    monkeypatch.setattr(checks.importlib.util, 'find_spec', lambda name: None if name == 'ensurepip' else object())

    with pytest.raises(SetupError, match=rf'no ensurepip.*apt install python3\.{sys.version_info[1]}-venv'):
        checks.check_venv_modules()


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='the check is for Linux')
def test_a_missing_system_library_is_named():
    with pytest.raises(SetupError, match=r'wants libNoSuchThing\.so\.1, missing.*apt install libgl1'):
        checks.check_libraries(('libc.so.6', 'libNoSuchThing.so.1'))


def test_no_compiler(monkeypatch, tmp_path):
    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.delenv('CXX', raising=False)

    with pytest.raises(SetupError, match=r'no C\+\+ compiler was found.*apt install g\+\+'):
        checks.check_compiler()


def test_a_compiler_that_is_too_old_is_quoted(monkeypatch, tmp_path):
    fake_program(tmp_path, 'c++', 'echo "c++: error: unrecognized option -std=c++17" >&2; exit 1')
    monkeypatch.setenv('PATH', f'{tmp_path}:/usr/bin:/bin')
    monkeypatch.delenv('CXX', raising=False)

    with pytest.raises(SetupError, match=r'unrecognized option -std=c\+\+17'):
        checks.check_compiler()


@needs_compiler
def test_missing_python_headers(monkeypatch, tmp_path):
    monkeypatch.setattr(sysconfig, 'get_paths', lambda: {'include': str(tmp_path)})

    with pytest.raises(SetupError, match=rf'no usable Python.h in {tmp_path}.*apt install python3\.\d+-dev'):
        checks.check_compiler()


def test_a_compiler_of_another_name_is_found(monkeypatch, tmp_path):
    fake_program(tmp_path, 'clang++', 'exit 0')
    monkeypatch.setenv('PATH', str(tmp_path))
    monkeypatch.delenv('CXX', raising=False)

    assert checks.check_compiler() == 'clang++'
