from __future__ import annotations

import doctest
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import mmdet
import mmengine
import pytest
import sklearn
from mmengine.utils import package_utils

from eakd_det.mm import installed_packages


def test_examples():
    assert doctest.testmod(installed_packages).failed == 0


def test_mmengine_uses_them():
    assert package_utils.is_installed is mmengine.utils.is_installed is installed_packages.is_installed
    assert mmengine.config.config.get_installed_path is installed_packages.get_installed_path


@pytest.mark.parametrize(('package', 'module'), [('mmdet', mmdet), ('scikit-learn', sklearn), ('sklearn', sklearn)])
def test_path_of_a_package_or_module(package, module):
    assert package_utils.is_installed(package)
    assert package_utils.get_installed_path(package) == str(Path(module.__file__).parent)


def test_a_module_on_the_path_is_installed_without_metadata(tmp_path, monkeypatch):
    (tmp_path / 'only_a_folder').mkdir()
    (tmp_path / 'with_code').mkdir()
    (tmp_path / 'with_code' / '__init__.py').touch()
    monkeypatch.syspath_prepend(str(tmp_path))

    assert package_utils.is_installed('with_code')
    assert package_utils.get_installed_path('with_code') == str(tmp_path / 'with_code')
    assert not package_utils.is_installed('only_a_folder')
    with pytest.raises(RuntimeError, match='namespace package'):
        package_utils.get_installed_path('only_a_folder')


def test_what_is_not_installed():
    assert not package_utils.is_installed('no_such_package')
    with pytest.raises(PackageNotFoundError):
        package_utils.get_installed_path('no_such_package')
