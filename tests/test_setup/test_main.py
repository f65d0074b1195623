from __future__ import annotations

import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
from eakd_setup import checks, main, steps
from eakd_setup.checks import GIB, SetupError
from eakd_setup.lock import locked
from eakd_setup.main import is_ready
from eakd_setup.state import setup_key
from eakd_setup.steps import Setup, python_tag, read_requirements


@pytest.fixture
def setup(tmp_path):
    (tmp_path / 'requirements').mkdir()
    (tmp_path / 'requirements' / 'mmcv.txt').write_text('# why\nmmcv==2.1.0\n')
    (tmp_path / '.wheels').mkdir()
    with locked(tmp_path / '.wheels' / 'lock') as lock:
        yield Setup(tmp_path, pip_args=[], lock=lock)


@pytest.fixture
def venv(setup):
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', str(setup.venv)], check=True)
    # A pip that knows its version and fails at everything else.
    (library,) = setup.venv.glob('lib/python*/site-packages')
    (library / 'pip.py').write_text('import sys; sys.exit("--version" not in sys.argv)')
    return setup


def test_requirements_without_comments(tmp_path):
    (tmp_path / 'some.txt').write_text('# why\nmmcv==2.1.0  # and this\n\nninja\n')

    assert read_requirements(tmp_path / 'some.txt') == ['mmcv==2.1.0', 'ninja']


@pytest.mark.parametrize(
    ('stamp', 'reason'),
    [
        ({'running': 'torch', 'python': python_tag()}, r'interrupted \(torch\)'),
        ({'running': '', 'python': '3.9 /usr'}, 'another Python'),
        ({'running': 'compile', 'python': python_tag()}, None),
        ({'running': '', 'python': python_tag(), 'key': 'of other pins'}, None),
        ({}, r'interrupted \(None\)'),
    ],
)
def test_what_is_kept_of_an_unfinished_environment(venv, stamp, reason):
    venv.state.write(**stamp)

    found = venv.distrust()

    assert re.search(reason, found) if reason else found is None


def test_an_environment_of_somebody_else_is_left_alone(venv):
    with pytest.raises(SetupError, match='not made by this set-up'):
        venv.make_venv()

    assert venv.python.exists()


def test_an_interrupted_environment_is_made_anew(setup, monkeypatch):
    monkeypatch.setattr(steps.runner, 'run', lambda command, **kwargs: None)
    setup.venv.mkdir()
    (setup.venv / 'leftover').touch()
    setup.state.write(running='packages', python=python_tag())

    setup.make_venv()

    assert not (setup.venv / 'leftover').exists()
    assert setup.state.read() == {'running': '', 'python': python_tag()}


def test_an_environment_whose_pip_is_gone_is_made_anew(venv):
    venv.state.write(running='', python=python_tag())
    (module,) = venv.venv.glob('lib/python*/site-packages/pip.py')
    module.unlink()

    assert venv.distrust() == 'its pip does not start'


def test_a_pip_that_fails_leaves_its_step_named(venv):
    venv.state.write(running='', python=python_tag())

    with pytest.raises(SetupError, match='ended with status 1'):
        venv.pip_install('torch', 'torch==2.13.0')

    assert venv.state.read()['running'] == 'torch'
    assert 'interrupted (torch)' in venv.distrust()


def test_an_index_out_of_reach_is_named(venv):
    (module,) = venv.venv.glob('lib/python*/site-packages/pip.py')
    module.write_text('import sys; sys.exit("ERROR: Could not find a version of torch (from versions: none)")')

    with pytest.raises(SetupError, match='package index is out of reach'):
        venv.pip_install('torch', 'torch==2.13.0')


def test_a_cuda_torch_on_a_small_disk_is_stopped_while_pip_looks_for_it(venv, monkeypatch, capsys):
    monkeypatch.setattr(checks.shutil, 'disk_usage', lambda path: SimpleNamespace(free=5 * GIB))
    look = venv.watch_for_cuda()

    look('Collecting torch==2.13.0')
    with pytest.raises(SetupError, match='12 GiB of free disk are needed for the virtual environment with CUDA'):
        look('Collecting nvidia-cublas (from torch==2.13.0)')
    assert 'CUDA build' in capsys.readouterr().out


def test_ready_means_complete_and_for_these_pins(venv):
    assert not is_ready(venv.root)

    venv.state.write(key=setup_key(venv.root), running='', python=python_tag())
    assert is_ready(venv.root)

    (venv.root / 'requirements' / 'mmcv.txt').write_text('mmcv==2.2.0\n')
    assert not is_ready(venv.root)


def test_an_interrupted_update_is_not_ready(venv):
    venv.state.write(key=setup_key(venv.root), running='', python=python_tag())

    with pytest.raises(SetupError):
        venv.pip_install('packages', 'anything')

    assert not is_ready(venv.root)


def test_main_prints_one_message_and_fails(monkeypatch, tmp_path, capsys):
    def too_small(path, need=0, what=''):
        raise SetupError('4 GiB of free disk are needed')

    monkeypatch.setattr(main, 'ROOT', tmp_path)
    monkeypatch.setattr(checks, 'check_disk', too_small)
    (tmp_path / 'requirements').mkdir()
    (tmp_path / 'requirements' / 'mmcv.txt').write_text('mmcv==2.1.0')

    assert main.main([]) == 1

    captured = capsys.readouterr()
    assert captured.out.splitlines() == ['[1/7] checking this machine (a second)']
    assert captured.err.strip() == 'Set-up stopped: 4 GiB of free disk are needed'
    assert not (tmp_path / '.venv').exists()
