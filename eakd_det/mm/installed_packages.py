"""Find installed packages without ``pkg_resources``, which MMEngine uses and setuptools 81 dropped."""

from __future__ import annotations

import importlib.util
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

_MODULE = 'mmengine.utils.package_utils'


def is_installed(package: str) -> bool:
    """Return whether ``package`` is a distribution or a module.

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
    """Return the folder of the module that ``package`` installs.

    Raises:
        PackageNotFoundError: If it is not installed.
        RuntimeError: If it is a namespace package.

    Example:
        >>> Path(get_installed_path('torch')).name
        'torch'
    """
    for module in _modules(package):
        spec = importlib.util.find_spec(module)
        if spec is not None and spec.origin is None:
            raise RuntimeError(f'{package} is a namespace package, which has no path of its own')
        if spec is not None:
            return str(Path(str(spec.origin)).parent)
    raise PackageNotFoundError(package)


def package2module(package: str) -> str:
    """Return the name of the module that ``package`` installs.

    Example:
        >>> package2module('scikit-learn')
        'sklearn'
    """
    top_level = (distribution(package).read_text('top_level.txt') or '').split()
    if not top_level:
        raise ValueError(f'can not infer the module name of {package}')
    return top_level[0]


def _modules(package: str) -> list[str]:
    """Return the possible names of the module of ``package``: its own, as most have, first."""
    try:
        return [package, package2module(package)]
    except (PackageNotFoundError, ValueError):
        return [package]


def replace_package_utils() -> None:
    """Put these functions in the place of MMEngine's, wherever those have been imported by name."""
    original = vars(sys.modules[_MODULE])
    for ours in (is_installed, get_installed_path, package2module):
        _replace_everywhere(original[ours.__name__], ours)


def _replace_everywhere(old: Any, new: Any) -> None:
    for module in list(sys.modules.values()):
        namespace = getattr(module, '__dict__', {})
        if namespace.get(new.__name__) is old:
            namespace[new.__name__] = new
