"""Functions that replace MMEngine's use of ``pkg_resources``, which setuptools 81 removed."""

from __future__ import annotations

import importlib.util
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path


def is_installed(package: str) -> bool:
    """Return whether ``package`` is an installed distribution or module.

    Example:
        >>> is_installed('torch'), is_installed('no_such_package')
        (True, False)
    """
    try:
        distribution(package)
    except PackageNotFoundError:
        spec = importlib.util.find_spec(package)
        return spec is not None and spec.origin is not None
    return True


def get_installed_path(package: str) -> str:
    """Return the folder of the module that ``package`` installs; a namespace package is a RuntimeError.

    Example:
        >>> Path(get_installed_path('torch')).name
        'torch'
    """
    module = package if importlib.util.find_spec(package) else package2module(package)
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise RuntimeError(f'{package} is a namespace package, which has no path of its own')
    return str(Path(spec.origin).parent)


def package2module(package: str) -> str:
    """Return the name of the module that ``package`` installs; without one, raise PackageNotFoundError.

    Example:
        >>> package2module('scikit-learn')
        'sklearn'
    """
    installed = distribution(package)
    packages = {file.parts[0] for file in installed.files or () if file.name == '__init__.py' and len(file.parts) == 2}
    for module in [*(installed.read_text('top_level.txt') or '').split(), *sorted(packages)]:
        if importlib.util.find_spec(module):
            return module
    raise PackageNotFoundError(package)


def replace_package_utils() -> None:
    """Replace MMEngine's functions of these names in every module that has imported them."""
    originals = vars(sys.modules['mmengine.utils.package_utils']).copy()
    for function in (is_installed, get_installed_path, package2module):
        name = function.__name__
        for module in list(sys.modules.values()):
            namespace = getattr(module, '__dict__', {})
            if namespace.get(name) is originals[name]:
                namespace[name] = function
