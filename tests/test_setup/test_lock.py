from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from eakd_setup.lock import locked

ROOT = Path(__file__).resolve().parents[2]


def hold_lock(lock: Path, body: str) -> subprocess.Popen[str]:
    code = (
        f'import sys; sys.path.insert(0, {str(ROOT / "tools" / "dev")!r})\n'
        'import os, subprocess\nfrom pathlib import Path\nfrom eakd_setup.lock import locked\n'
        f'with locked(Path({str(lock)!r})) as lock:\n    print("held", flush=True)\n    {body}'
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


def leave_a_child(lock: Path, program: Path) -> None:
    """Kill a set-up, so to speak, in the middle of ``program``, which sleeps for a minute."""
    child = f'subprocess.Popen([{str(program)!r}, "60"], pass_fds=[lock.descriptor], start_new_session=True, stdout=-3)'
    first = hold_lock(lock, f'lock.note_group({child}.pid); os._exit(9)')
    first.communicate(timeout=20)
    assert first.returncode == 9


def test_what_a_killed_set_up_left_running_is_ended(tmp_path):
    (tmp_path / '.venv').mkdir()
    program = Path(shutil.copy(shutil.which('sleep') or '', tmp_path / '.venv' / 'python'))
    leave_a_child(tmp_path / '.wheels' / 'lock', program)

    second = hold_lock(tmp_path / '.wheels' / 'lock', 'pass')

    assert second.communicate(timeout=20)[0].splitlines() == [
        'An earlier set-up was killed; ending what it left running.',
        'held',
    ]


def test_a_process_of_another_place_is_not_ended(tmp_path):
    program = Path(shutil.copy(shutil.which('sleep') or '', tmp_path / 'elsewhere'))
    leave_a_child(tmp_path / '.wheels' / 'lock', program)
    child = int((tmp_path / '.wheels' / 'lock').read_text().split()[1])

    second = hold_lock(tmp_path / '.wheels' / 'lock', 'pass')
    assert second.stdout is not None
    assert 'waiting for it' in second.stdout.readline()
    os.kill(child, 0)
    os.kill(child, signal.SIGTERM)

    assert second.communicate(timeout=20)[0] == 'held\n'


def test_the_lock_can_be_taken_again(tmp_path):
    for _ in range(2):
        with locked(tmp_path / 'new' / 'lock') as lock:
            lock.note_group(7)
    assert (tmp_path / 'new' / 'lock').read_text() == f'{os.getpid()} 7'
