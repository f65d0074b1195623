from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path

import pytest

PATH = Path(__file__).parents[1] / 'tools/dev/bootstrap.py'
spec = importlib.util.spec_from_file_location('bootstrap', PATH)
bootstrap = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bootstrap)


def program(path: Path, script: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\n{script}\n')
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Return a function that sets up ``tmp_path/venv`` with an interpreter that only notes what it is called with."""
    logger = f'echo "$@" >> {tmp_path}/calls'
    venv = f'{logger}\n[ "$2" != venv ] || {{ mkdir -p $3/bin; cp $0 $3/bin/python; }}'
    monkeypatch.setattr(sys, 'executable', program(tmp_path / 'python', venv))
    program(tmp_path / 'bin/uv', f'{logger}\ncase "$*" in *--dry-run*) echo " + nvidia-cublas==13" >&2;; esac')
    monkeypatch.setenv('PATH', f'{tmp_path}/bin{os.pathsep}/bin{os.pathsep}/usr/bin')
    monkeypatch.delenv('UV_TORCH_BACKEND', raising=False)

    def run(**changes: str | bool) -> list[str]:
        (tmp_path / 'calls').write_text('')
        default = dict(venv=tmp_path / 'venv', torch='2.13.*', extra='lite', installer='uv', pip_args='', docs=False)
        bootstrap.Setup(argparse.Namespace(**{**default, **changes}))()
        return (tmp_path / 'calls').read_text().splitlines()

    return run


def installs(calls: list[str]) -> list[str]:
    return [call for call in calls if 'pip install' in call and '--dry-run' not in call]


def test_the_second_call_does_nothing(make):
    assert len(installs(make())) == 1
    assert make() == []


def test_what_the_site_needs_is_installed_once_and_only_for_the_site(make):
    make()
    (call,) = installs(make(docs=True))
    assert '[docs]' in call
    assert make(docs=True) == make() == []


def test_a_change_of_requirements_installs_into_the_same_environment(make):
    make()
    calls = make(torch='2.14.*')
    assert len(installs(calls)) == 1
    assert not any(call.startswith('-m venv') for call in calls)


def test_another_extra_makes_a_new_environment(make):
    make()
    assert any(call.startswith('-m venv') for call in make(extra='mm'))


def test_an_interrupted_setup_is_made_anew(make, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(bootstrap.Setup, 'install', lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            make()
    assert any(call.startswith('-m venv') for call in make())
    assert make() == []


def test_an_environment_of_the_users_own_is_left_alone(make, tmp_path):
    (tmp_path / 'venv').mkdir()
    (tmp_path / 'venv/pyvenv.cfg').touch()
    with pytest.raises(bootstrap.SetupError, match='not made by this set-up'):
        make()
    assert (tmp_path / 'venv/pyvenv.cfg').exists()


def test_an_interpreter_without_venv_is_one_line_with_the_package_to_install(make, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, 'executable', program(tmp_path / 'no-venv', 'exit 1'))
    with pytest.raises(bootstrap.SetupError, match=r'^.*apt install python3\.\d+-venv$'):
        make()


def test_a_failed_install_is_reported(make, tmp_path):
    program(tmp_path / 'bin/uv', 'case "$*" in *install*) exit 2;; esac')
    with pytest.raises(bootstrap.SetupError, match='installation failed'):
        make()


@pytest.mark.skipif(not sys.platform.startswith('linux'), reason='PyPI has CUDA builds for Linux alone')
def test_without_a_gpu_pytorchs_cpu_builds_replace_the_cuda_build(make, tmp_path):
    (call,) = installs(make())
    assert '--torch-backend=cpu' in call

    program(tmp_path / 'bin/nvidia-smi', '')
    (call,) = installs(make(pip_args='--upgrade'))
    assert '--torch-backend' not in call
    assert call.endswith('--upgrade')


def test_pip_installs_where_uv_is_not_wanted(make):
    (call,) = installs(make(installer='pip'))
    assert call.startswith('-m pip install torch==2.13.* -e ')


def test_uv_follows_pips_configuration_and_the_users_own_settings_win():
    config = bootstrap.read_pip_config(
        "global.find-links='/a\\n/b'\nglobal.index-url='https://one'\n:env:.index-url='https://two'\nfreeze.timeout='3'"
    )
    settings = bootstrap.uv_settings(config, {})
    assert settings['UV_FIND_LINKS'] == '/a,/b'
    assert settings['UV_DEFAULT_INDEX'] == 'https://two'
    assert 'UV_HTTP_TIMEOUT' not in settings
    own = bootstrap.uv_settings(config, {'UV_INDEX_URL': 'https://three', 'UV_FIND_LINKS': ''})
    assert not {'UV_DEFAULT_INDEX', 'UV_FIND_LINKS'} & set(own)
