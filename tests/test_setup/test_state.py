from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from eakd_setup.state import State, locked, setup_key

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


def hold_lock(lock: Path, body: str) -> subprocess.Popen[str]:
    code = (
        f'import sys; sys.path.insert(0, {str(ROOT / "tools" / "dev")!r})\n'
        'import os, subprocess\nfrom pathlib import Path\nfrom eakd_setup.state import locked\n'
        f'with locked(Path({str(lock)!r})) as descriptor:\n    print("held", flush=True)\n    {body}'
    )
    return subprocess.Popen([sys.executable, '-c', code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_a_second_set_up_waits_for_the_first(tmp_path):
    first = hold_lock(tmp_path / 'lock', 'sys.stdin.readline()')
    assert first.stdout is not None
    assert first.stdout.readline() == 'held\n'
    second = hold_lock(tmp_path / 'lock', 'pass')
    assert second.stdout is not None
    assert f'process {first.pid}' in second.stdout.readline()
    assert second.poll() is None

    first.communicate('go on\n', timeout=20)

    assert 'held' in second.communicate(timeout=20)[0]
    assert second.returncode == 0


def test_a_child_that_outlives_a_killed_set_up_keeps_the_lock(tmp_path):
    start_child = 'subprocess.Popen(["sleep", "2"], pass_fds=[descriptor], stdout=subprocess.DEVNULL); os._exit(9)'
    first = hold_lock(tmp_path / 'lock', start_child)
    first.communicate(timeout=20)
    assert first.returncode == 9

    second = hold_lock(tmp_path / 'lock', 'pass')

    assert 'waiting for it' in second.communicate(timeout=20)[0]


def test_the_lock_can_be_taken_again(tmp_path):
    for _ in range(2):
        with locked(tmp_path / 'new' / 'lock') as descriptor:
            assert descriptor > 2
    assert (tmp_path / 'new' / 'lock').read_text() == str(os.getpid())
