"""What can be known before anything long starts. Each check raises one clear message with the way to mend it."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

TESTED_PYTHON = (3, 11)
WORKING_PYTHONS = ((3, 10), (3, 11), (3, 12))
GIB = 1024**3
NEED_CPU = 4 * GIB
NEED_CUDA = 12 * GIB
NEED_TMP = 1 * GIB
NEED_TMP_CUDA = 5 * GIB

_PROGRAM = '#include <Python.h>\n#include <optional>\nint main() { return std::optional<int>(0).value(); }\n'
_PROGRAM_WITHOUT_PYTHON = _PROGRAM.replace('#include <Python.h>\n', '')


class SetupError(Exception):
    """Why the set-up cannot go on, and what to do about it; printed without a traceback."""


def dotted(version: tuple[int, ...]) -> str:
    """Return ``(3, 11)`` as ``'3.11'``."""
    return '.'.join(str(part) for part in version)


def check_python(version: tuple[int, ...] | None = None) -> None:
    """Refuse an interpreter that the pinned packages have no wheels for, and name one that is at hand."""
    version = tuple(sys.version_info[:2]) if version is None else version[:2]
    if version in WORKING_PYTHONS:
        return
    found = [name for name in map('python{}'.format, map(dotted, WORKING_PYTHONS)) if _runs(name)]
    hint = f'Run: make PYTHON={found[-1]} ...' if found else f'Install Python {dotted(TESTED_PYTHON)} first.'
    raise SetupError(
        f'Python {dotted(WORKING_PYTHONS[0])} to {dotted(WORKING_PYTHONS[-1])} is needed '
        f'({dotted(TESTED_PYTHON)} is the tested one), but this is {dotted(version)} ({sys.executable}). {hint}'
    )


def _runs(command: str) -> bool:
    """Tell whether ``command`` starts; a pyenv shim may exist for a version that is switched off."""
    path = shutil.which(command)
    return path is not None and subprocess.run([path, '-c', ''], capture_output=True).returncode == 0


def check_venv_modules() -> None:
    """Check that virtual environments with pip can be made; Debian and Ubuntu ship that part apart."""
    missing = [name for name in ('venv', 'ensurepip') if importlib.util.find_spec(name) is None]
    if missing:
        package = f'python{dotted(tuple(sys.version_info[:2]))}-venv'
        raise SetupError(
            f'This Python has no {" and no ".join(missing)} ({sys.executable}), so it cannot make a virtual '
            f'environment. On Debian or Ubuntu: sudo apt install {package}'
        )


def check_disk(path: Path, need: int = NEED_CPU, what: str = 'the virtual environment with CPU torch') -> None:
    """Check that ``need`` bytes are free where ``path`` is or will be."""
    existing = path
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    if free < need:
        raise SetupError(
            f'{need / GIB:.0f} GiB of free disk are needed for {what}, but only {free / GIB:.1f} GiB are free in '
            f'{existing}. Make room there, or put the checkout on another disk.'
        )


def check_tmp(need: int = NEED_TMP) -> None:
    """Check the folder into which pip unpacks its downloads; it is often a small one of its own."""
    folder = Path(tempfile.gettempdir())
    free = shutil.disk_usage(folder).free
    if free < need:
        raise SetupError(
            f'{need / GIB:.0f} GiB are needed in {folder}, where pip unpacks its downloads, but only '
            f'{free / GIB:.1f} GiB are free. Make room, or set TMPDIR to a folder with more.'
        )


def check_libraries(names: tuple[str, ...] = ('libGL.so.1', 'libglib-2.0.so.0')) -> None:
    """Check for the system libraries that opencv-python does not bring along; a bare server has none of them."""
    if not sys.platform.startswith('linux'):
        return
    missing = []
    for name in names:
        try:
            ctypes.CDLL(name)
        except OSError:
            missing.append(name)
    if missing:
        raise SetupError(
            f'opencv-python, which MMEngine needs, wants {" and ".join(missing)}, missing on this system. '
            'On Debian or Ubuntu: sudo apt install libgl1 libglib2.0-0'
        )


def compiler() -> str | None:
    """Return the C++ compiler that torch's build would take, or another one that is at hand."""
    for name in (os.environ.get('CXX'), 'c++', 'g++', 'clang++'):
        if name and shutil.which(name.split()[0]):
            return name
    return None


def check_compiler() -> str:
    """Compile a small C++17 program with ``Python.h``, as the mmcv ops need it, and return the compiler's name."""
    name = compiler()
    if name is None:
        raise SetupError(
            'mmcv must be compiled here (no wheel at hand), but no C++ compiler was found (c++, g++, clang++). '
            'On Debian or Ubuntu: sudo apt install g++; on macOS: xcode-select --install'
        )
    include = sysconfig.get_paths()['include']
    if _compiles(name, _PROGRAM, include) is None:
        return name
    without_python = _compiles(name, _PROGRAM_WITHOUT_PYTHON, include)
    if without_python is None:
        package = f'python{dotted(tuple(sys.version_info[:2]))}-dev'
        raise SetupError(
            f'mmcv must be compiled here, but the C headers of Python are missing: no usable Python.h in {include}. '
            f'On Debian or Ubuntu: sudo apt install {package}'
        )
    raise SetupError(
        f'mmcv must be compiled here, but {name} does not compile a small C++17 program: {without_python}. '
        'A compiler of GCC 9, Clang 9 or newer is needed; set CXX to choose another one.'
    )


def _compiles(name: str, program: str, include: str) -> str | None:
    """Return ``None`` if ``program`` compiles, else the compiler's first complaint."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / 'probe.cpp'
        source.write_text(program)
        command = [*name.split(), '-std=c++17', '-I', include, '-c', str(source), '-o', str(source.with_suffix('.o'))]
        result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode == 0:
        return None
    complaints = [line for line in result.stderr.splitlines() if 'error' in line] or result.stderr.splitlines()
    return complaints[0].strip() if complaints else f'exit status {result.returncode}'
