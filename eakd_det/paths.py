"""Folders of the package's configs and tools, installed or in a checkout."""

from __future__ import annotations

from pathlib import Path


def package_root() -> Path:
    """Return the folder that holds ``configs``, ``tools`` and ``model-index.yml``.

    It is ``eakd_det/.mim`` (MIM's convention) in an installed package, else the root of the checkout. If there is
    neither, as in a copy of the package folder alone, a FileNotFoundError is raised.

    Example:
        >>> (package_root() / 'tools').is_dir()
        True
    """
    package = Path(__file__).resolve().parent
    for root in (package / '.mim', package.parent):
        if (root / 'configs').is_dir() and (root / 'model-index.yml').is_file():
            return root
    raise FileNotFoundError(
        f'expected configs and tools in {package / ".mim"}, but there are none: '
        'install eakd_det with pip, or use it from a checkout'
    )


def configs_dir() -> Path:
    """Return the folder of the shipped configs."""
    return package_root() / 'configs'


def tools_dir() -> Path:
    """Return the folder of the command line tools (``train.py``, ``test.py``, ...)."""
    return package_root() / 'tools'


def short_path(path: Path) -> Path:
    """Return a path without ``..`` and, below the working directory, relative to it: as one would type it.

    Example:
        >>> short_path(Path.cwd() / 'configs' / '..' / 'tools')
        PosixPath('tools')
    """
    resolved, here = path.resolve(), Path.cwd()
    return resolved.relative_to(here) if resolved.is_relative_to(here) else resolved
