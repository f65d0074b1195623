from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

pytest.importorskip('setuptools', minversion='77')
ROOT = Path(__file__).parents[1]
TREE = ('eakd_det', 'configs', 'tools', 'zoo', 'setup.py', 'pyproject.toml', 'model-index.yml', 'MANIFEST.in')
FILES = ('README.md', 'LICENSE', 'CHANGELOG.md', 'CITATION.cff')


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    """A copy of the checkout, as the build leaves its own folders in the tree."""
    target = tmp_path_factory.mktemp('source')
    for name in (*TREE, *FILES):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns('__pycache__', '.mim'))
        else:
            shutil.copy(ROOT / name, target / name)
    return target


def build(source: Path, what: str, out: Path) -> Path:
    """Let setuptools build as pip does, and return the file that it made."""
    code = f'from setuptools import build_meta; print(build_meta.build_{what}({str(out)!r}))'
    result = subprocess.run([sys.executable, '-c', code], cwd=source, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return out / result.stdout.splitlines()[-1]


def names(folder: str) -> set[str]:
    """The checkout's files in ``folder``."""
    paths = (path for path in (ROOT / folder).rglob('*') if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in paths if not {'__pycache__', '.mim'} & set(path.parts)}


def test_the_wheel_holds_package_configs_and_tools_and_needs_torch_alone(source, tmp_path):
    with zipfile.ZipFile(build(source, 'wheel', tmp_path)) as archive:
        found = set(archive.namelist())
        (name,) = [name for name in found if name.endswith('.dist-info/METADATA')]
        needed = Parser().parsestr(archive.read(name).decode()).get_all('Requires-Dist')

    mim = names('configs') | names('tools') | names('zoo')
    expected = {name for name in mim if not name.startswith('tools/dev/')}
    assert {name for name in found if '.dist-info/' not in name} == names('eakd_det') | {
        f'eakd_det/.mim/{name}' for name in (*expected, 'model-index.yml')
    }
    assert [line for line in needed if 'extra' not in line] == ['torch>=2.1']
    with_mmcv = [line for line in needed if line.startswith('mmcv')]
    assert len(with_mmcv) == 1
    assert 'extra == "lite"' in with_mmcv[0]


def test_an_editable_install_links_configs_and_tools(source, tmp_path):
    build(source, 'editable', tmp_path)
    mim = source / 'eakd_det' / '.mim'
    assert {path.name for path in mim.iterdir()} == {'configs', 'tools', 'zoo', 'model-index.yml'}
    assert all(path.is_symlink() for path in mim.iterdir())
    assert (mim / 'configs').resolve() == source / 'configs'


def test_the_source_distribution_is_complete(source, tmp_path):
    with tarfile.open(build(source, 'sdist', tmp_path)) as archive:
        found = {name.partition('/')[2] for name in archive.getnames()}
    folders = names('configs') | names('tools') | names('eakd_det') | names('zoo')
    assert folders | {'setup.py', 'model-index.yml', *FILES} <= found
