"""Which ops mmcv gets, in this process and in those it starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from eakd_det.errors import ConfigError
from eakd_det.mm.ops import finder

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
OURS = 'eakd_det.mm.ops.ext'


def run(*command: str, ops: str = '') -> subprocess.CompletedProcess[str]:
    """Run Python with ``EAKD_DET_OPS=ops``."""
    environment = {**os.environ, finder.VARIABLE: ops, 'PYTHONPATH': f'{ROOT}', 'OMP_NUM_THREADS': '1'}
    return subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True)


def has_compiled_mmcv() -> bool:
    return not finder.uses_python_ops()


@pytest.mark.parametrize('ops', ['', 'python'])
def test_mmcv_ops_can_be_imported(ops):
    done = run('-c', 'import eakd_det, mmcv.ops, mmcv._ext; print(mmcv._ext.__spec__.origin)', ops=ops)
    assert done.returncode == 0, done.stderr
    assert (done.stdout.strip() == OURS) == (ops == 'python' or not has_compiled_mmcv())


def test_compiled_ops_can_be_demanded():
    done = run('-c', 'import eakd_det, mmcv.ops, mmcv._ext; print(mmcv._ext.__spec__.origin)', ops='compiled')
    if has_compiled_mmcv():
        assert done.stdout.strip().endswith(('.so', '.pyd'))
    else:
        assert done.stderr.strip().splitlines()[-1] == (
            'eakd_det.errors.ConfigError: EAKD_DET_OPS=compiled: expected an mmcv with compiled ops, '
            'but this one has none'
        )


def test_a_choice_that_does_not_exist_is_refused(monkeypatch):
    monkeypatch.setattr(sys, 'meta_path', [])
    monkeypatch.setenv(finder.VARIABLE, 'fast')
    with pytest.raises(ConfigError, match=r'EAKD_DET_OPS: expected one of auto, compiled, python, but got .fast.'):
        finder.install()


def test_a_choice_that_comes_too_late_is_refused():
    import mmcv.ops  # noqa: F401

    with pytest.raises(ConfigError, match='already imported with other ops'):
        finder.install('compiled' if finder.uses_python_ops() else 'python')


def test_installing_again_adds_nothing():
    before = list(sys.meta_path)
    finder.install()
    assert [type(entry) for entry in sys.meta_path] == [type(entry) for entry in before]


@pytest.mark.parametrize('prefer', finder.CHOICES)
def test_a_choice_stays_until_another_is_named(monkeypatch, prefer):
    monkeypatch.setattr(sys, 'meta_path', [])
    monkeypatch.setattr(sys, 'modules', {name: m for name, m in sys.modules.items() if name != 'mmcv._ext'})
    monkeypatch.setattr(finder.multiprocessing.current_process(), '_config', {})
    finder.install(prefer)
    finder.install()
    assert [entry.prefer for entry in sys.meta_path] == [prefer]


def test_nothing_but_the_standard_library_is_needed_to_install():
    code = (
        'import sys, types; package = types.ModuleType("eakd_det"); package.__path__ = [sys.argv[1]]; '
        'sys.modules["eakd_det"] = package; import eakd_det.mm.ops.finder as finder; finder.install(); '
        'print(sorted({name.split(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)))'
    )
    done = run('-S', '-c', code, str(ROOT / 'eakd_det'))
    assert done.stdout.strip() == "['__main__', '__mp_main__', 'eakd_det']", done.stderr


@pytest.mark.slow  # a quick one of these children: tests/test_mm/test_stock_tools.py
def test_children_have_the_same_ops(tmp_path):
    done = run(str(HERE / 'children.py'), str(tmp_path), ops='python')
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found) >= 3
    assert set(found.values()) == {OURS}, found


@pytest.mark.parametrize('name', ['carafe_forward', 'roi_pool_forward', 'nms_rotated'])
def test_an_op_that_is_not_there_says_how_to_get_it(name):
    from types import ModuleType

    from eakd_det.mm.ops import ext

    module = ModuleType('ext')
    ext.fill(module)
    with pytest.raises(ConfigError, match=f'mmcv op {name}: expected an mmcv with compiled ops'):
        getattr(module, name)()


def test_compiled_ops_for_another_torch_are_named(tmp_path):
    """A shared library that Python cannot load stands for one with undefined symbols."""
    from importlib.machinery import EXTENSION_SUFFIXES, PathFinder

    (tmp_path / f'_ext{EXTENSION_SUFFIXES[0]}').write_bytes(b'not a library')
    spec = finder._Finder('auto').find_spec('mmcv._ext', [str(tmp_path)])
    assert PathFinder.find_spec('mmcv._ext', [str(tmp_path)]) is not None
    with pytest.raises(ImportError, match=r'do not load with torch \d.*EAKD_DET_OPS=python'):
        spec.loader.create_module(spec)
