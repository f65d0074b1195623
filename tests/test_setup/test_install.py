from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import eakd_det

ROOT = Path(__file__).resolve().parents[2]
TREE = ('eakd_det', 'configs', 'tools', 'requirements', 'setup.py', 'pyproject.toml', 'model-index.yml', 'MANIFEST.in')


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    """A copy of the checkout, as the build leaves its own folders in the tree."""
    target = tmp_path_factory.mktemp('source')
    for name in (*TREE, 'README.md'):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns('__pycache__', '.mim'))
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, target / name)
    return target


def build(source: Path, what: str, out: Path) -> Path:
    """Let setuptools build as pip does, and return the file that it made."""
    out.mkdir()
    code = f'from setuptools import build_meta; print(build_meta.build_{what}({str(out)!r}))'
    result = subprocess.run([sys.executable, '-c', code], cwd=source, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return out / result.stdout.splitlines()[-1]


@pytest.fixture(scope='module')
def wheel(source, tmp_path_factory):
    return build(source, 'wheel', tmp_path_factory.mktemp('wheel') / 'out')


def test_an_installed_copy_reaches_its_configs_and_tools(wheel, tmp_path):
    command = [sys.executable, '-m', 'pip', 'install', '--no-deps', '--no-index', '--target', str(tmp_path), str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    code = 'import eakd_det, eakd_det.paths as p; print(p.package_root(), p.configs_dir(), p.tools_dir(), sep="\\n")'
    env = {**os.environ, 'PYTHONPATH': str(tmp_path)}
    result = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code], env=env, cwd=tmp_path, capture_output=True, text=True
    )

    assert result.returncode == 0, result.stderr
    root, configs, tools = (Path(line) for line in result.stdout.splitlines()[-3:])
    assert root == tmp_path / 'eakd_det' / '.mim'
    assert not configs.is_symlink()
    assert names(configs) == names(ROOT / 'configs')
    assert names(tools) == {name for name in names(ROOT / 'tools') if not name.startswith('dev/')}
    assert (root / 'model-index.yml').read_text() == (ROOT / 'model-index.yml').read_text()


def names(folder: Path) -> set[str]:
    files = (path.relative_to(folder) for path in folder.rglob('*') if path.is_file())
    return {path.as_posix() for path in files if '__pycache__' not in path.parts}


def test_metadata_leaves_torch_and_mmcv_to_the_user(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith('.dist-info/METADATA')]
        metadata = Parser().parsestr(archive.read(name).decode())
    needed = {line.split('=')[0].split('<')[0].split('>')[0] for line in metadata.get_all('Requires-Dist') or []}

    assert metadata['Name'].replace('-', '_') == 'eakd_det'
    assert metadata['Version'] == eakd_det.__version__
    assert {'mmdet', 'mmengine', 'mmrazor', 'joblib', 'scikit-learn'} <= needed
    assert not {'torch', 'mmcv', 'setuptools'} & needed


def test_an_editable_install_links_them(source, tmp_path):
    build(source, 'editable', tmp_path / 'out')

    mim = source / 'eakd_det' / '.mim'
    assert {path.name for path in mim.iterdir()} == {'configs', 'tools', 'model-index.yml'}
    assert all(path.is_symlink() and path.exists() for path in mim.iterdir())
    assert (mim / 'configs').resolve() == source / 'configs'


def test_the_source_distribution_is_complete(source, tmp_path):
    archive = build(source, 'sdist', tmp_path / 'out')
    with tarfile.open(archive) as tar:
        found = {name.split('/', 1)[1] for name in tar.getnames() if '/' in name}

    for name in ('requirements/runtime.txt', 'model-index.yml', 'setup.py', 'tools/dev/bootstrap.py'):
        assert name in found
    assert {f'configs/{name}' for name in names(ROOT / 'configs')} <= found
