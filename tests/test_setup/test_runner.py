from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from eakd_setup import runner
from eakd_setup.checks import SetupError

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ('line', 'status'),
    [
        ('Collecting torch==2.13.0', 'collecting torch==2.13.0'),
        ('  Downloading https://host/a/b/torch-2.13.0-cp311.whl (190 MB)', 'downloading torch-2.13.0'),
        ('Installing collected packages: a, b, c', 'installing 3 packages'),
        ('Installing collected packages: mmcv', 'installing 1 package'),
        ('Requirement already satisfied: numpy', None),
        ('', None),
    ],
)
def test_pip_output_is_condensed(line, status):
    assert runner.pip_status(line) == status


def test_ninja_output_is_condensed():
    line = '  [12/77] c++ -MMD -MF /x/roi_align.o.d -c /x/roi_align.cpp -o /x/roi_align.o'

    assert runner.compile_status(line) == '12 of 77 files compiled'
    assert runner.compile_status('running build_ext') is None


@pytest.mark.parametrize(('seconds', 'text'), [(4.4, '4 s'), (65, '1 min 05 s'), (3600, '60 min 00 s')])
def test_clock(seconds, text):
    assert runner.clock(seconds) == text


def test_all_output_goes_to_the_log(tmp_path, capsys):
    runner.run(['sh', '-c', 'echo one; echo two >&2'], log=tmp_path / 'log')

    assert (tmp_path / 'log').read_text().splitlines()[-2:] == ['one', 'two']
    assert 'done in' in capsys.readouterr().out


def test_silence_is_filled_with_the_last_status(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(runner, 'SECONDS_BETWEEN_LINES', 0.5)

    runner.run(['sh', '-c', 'echo "[3/77] c++"; sleep 2'], log=tmp_path / 'log', status=runner.compile_status)

    assert '3 of 77 files compiled' in capsys.readouterr().out


def test_a_failure_shows_the_last_lines_and_the_log(tmp_path):
    with pytest.raises(SetupError, match='ended with status 3') as caught:
        runner.run(['sh', '-c', 'echo the reason; exit 3'], log=tmp_path / 'log')

    assert 'the reason' in str(caught.value)
    assert str(tmp_path / 'log') in str(caught.value)


def test_an_exception_while_it_runs_ends_the_command(tmp_path):
    def refuse(line: str) -> None:
        raise SetupError(line)

    start = time.monotonic()
    with pytest.raises(SetupError, match='too big'):
        runner.run(['sh', '-c', 'echo too big; sleep 60'], log=tmp_path / 'log', on_line=refuse)
    assert time.monotonic() - start < 30


def is_running(pid: int) -> bool:
    stat = Path(f'/proc/{pid}/stat')
    return stat.exists() and stat.read_text().rsplit(')', 1)[1].split()[0] != 'Z'


@pytest.mark.skipif(not Path('/proc/self/stat').exists(), reason='looks at processes through /proc')
def test_what_a_command_started_dies_with_the_set_up(tmp_path):
    code = (
        f'import sys, signal; sys.path.insert(0, {str(ROOT / "tools" / "dev")!r})\n'
        'from pathlib import Path\nfrom eakd_setup import runner\n'
        'signal.signal(signal.SIGTERM, signal.default_int_handler)\n'
        f'runner.run(["sh", "-c", "sleep 300 & echo $! > pid; wait"], log=Path("log"))'
    )
    process = subprocess.Popen([sys.executable, '-c', code], cwd=tmp_path, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not (tmp_path / 'pid').exists() or not (tmp_path / 'pid').read_text().strip():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    grandchild = int((tmp_path / 'pid').read_text())
    assert is_running(grandchild)

    os.kill(process.pid, signal.SIGTERM)
    process.wait(timeout=40)

    assert process.returncode != 0
    assert not is_running(grandchild)
