from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from eakd_setup.state import State, setup_key

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path):
    shutil.copytree(ROOT / 'requirements', tmp_path / 'requirements')
    shutil.copytree(ROOT / 'tools' / 'dev', tmp_path / 'tools' / 'dev')
    shutil.copy(ROOT / 'setup.py', tmp_path)
    return tmp_path


def test_key_is_about_contents_and_not_about_time(checkout):
    before = setup_key(checkout)

    os.utime(checkout / 'requirements' / 'build.txt', (0, 0))

    assert setup_key(checkout) == before


@pytest.mark.parametrize('file', ['requirements/tests.txt', 'tools/dev/eakd_setup/main.py', 'setup.py'])
def test_key_changes_with_what_decides_the_environment(checkout, file):
    before = setup_key(checkout)

    with (checkout / file).open('a') as stream:
        stream.write('# changed\n')

    assert setup_key(checkout) != before


def test_key_belongs_to_the_place(checkout, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp('elsewhere') / 'copy'
    shutil.copytree(checkout, elsewhere)

    assert setup_key(elsewhere) != setup_key(checkout)


def test_stamp_survives_what_a_killed_run_left(tmp_path):
    state = State(tmp_path)
    assert state.read() == {}

    state.write(running='torch')
    assert State(tmp_path).read() == {'running': 'torch'}

    state.path.write_text('{"running": "to')
    assert state.read() == {}
    state.path.write_text('[]')
    assert state.read() == {}
