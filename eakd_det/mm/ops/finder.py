"""Selection of MMDetection's ops: those that mmcv was compiled with, or this package's in Python.

``mmcv.ops`` imports its kernels from the compiled module ``mmcv._ext``, which mmcv-lite does not have. :func:`install`
adds a finder to ``sys.meta_path`` that provides the module, so that ``from mmcv.ops import nms`` works. This module
needs the standard library alone and imports nothing before mmcv.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import multiprocessing
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ExtensionFileLoader, ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

from eakd_det.errors import ConfigError

VARIABLE = 'EAKD_DET_OPS'
CHOICES = ('auto', 'compiled', 'python')
_EXT = 'mmcv._ext'
# Modules of mmcv whose functions pass buffers to a kernel.
_REPLACED = tuple(
    f'mmcv.ops.{name}'
    for name in ('roi_align', 'focal_loss', 'deform_conv', 'modulated_deform_conv', 'multi_scale_deform_attn')
)


def install(prefer: str | None = None) -> None:
    """Make ``mmcv.ops`` importable with and without compiled ops.

    A later call changes the choice as long as ``mmcv.ops`` is not imported. Processes started by :mod:`multiprocessing`
    (data-loader workers, spawned ranks) inherit it before they unpickle their work.

    Args:
        prefer: ``'auto'`` uses compiled ops if mmcv has them, else Python's; ``'compiled'`` and ``'python'`` force one
            of them. None keeps an earlier choice; the first is that of the environment variable ``EAKD_DET_OPS``, or
            else ``'auto'``.

    Raises:
        ConfigError: If ``prefer`` is unknown, or ``mmcv.ops`` is already imported with other ops.
    """
    if prefer is None and any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    name = VARIABLE if prefer is None else 'prefer'
    prefer = os.environ.get(VARIABLE, '') or 'auto' if prefer is None else prefer
    if prefer not in CHOICES:
        raise ConfigError(f'{name}: expected one of {", ".join(CHOICES)}, but got {prefer!r}')
    if _EXT in sys.modules and prefer != 'auto' and uses_python_ops() != (prefer == 'python'):
        raise ConfigError(f'{name}={prefer}: mmcv.ops is already imported with other ops; import eakd_det before it')
    sys.meta_path[:] = [_Finder(prefer), *(finder for finder in sys.meta_path if not isinstance(finder, _Finder))]
    multiprocessing.current_process()._config[VARIABLE] = _InstalledInChild(prefer)  # type: ignore[attr-defined]


def uses_python_ops() -> bool:
    """Return whether ``mmcv.ops`` has, or would get on import, the ops of this package.

    They read features in any memory format and are fastest on channels-last ones; compiled ops need contiguous ones.
    """
    spec = importlib.util.find_spec(_EXT)
    return spec is not None and isinstance(spec.loader, _PythonOps)


class _InstalledInChild:
    """An entry of a process's configuration, which child processes unpickle before their work."""

    def __init__(self, prefer: str) -> None:
        self.prefer = prefer

    def __reduce__(self) -> tuple[Any, ...]:
        return _install_in_child, (self.prefer,)


def _install_in_child(prefer: str) -> _InstalledInChild:
    install(prefer)
    return _InstalledInChild(prefer)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, prefer: str) -> None:
        self.prefer = prefer

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == _EXT:
            return self._find_ext(path)
        if fullname in _REPLACED and uses_python_ops():
            spec = PathFinder.find_spec(fullname, path)
            if spec is not None and isinstance(spec.loader, SourceFileLoader):
                spec.loader = _WithReplacements(spec.loader.name, spec.loader.path)
            return spec
        return None

    def _find_ext(self, path: Sequence[str] | None) -> ModuleSpec | None:
        spec = None if self.prefer == 'python' else PathFinder.find_spec(_EXT, path)
        if spec is None:
            if self.prefer == 'compiled':
                raise ConfigError(f'{VARIABLE}=compiled: expected an mmcv with compiled ops, but this one has none')
            return ModuleSpec(_EXT, _PythonOps(), origin='eakd_det.mm.ops.ext')
        if isinstance(spec.loader, ExtensionFileLoader):
            spec.loader = _CompiledOps(spec.loader.name, spec.loader.path)
        return spec


class _PythonOps(importlib.abc.Loader):
    """Fills the module ``mmcv._ext`` with this package's ops."""

    def exec_module(self, module: ModuleType) -> None:
        from eakd_det.mm.ops import ext

        ext.fill(module)


class _WithReplacements(SourceFileLoader):
    """Loads a module of ``mmcv.ops`` and replaces its functions with this package's."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        from eakd_det.mm.ops import mmcv_functions

        mmcv_functions.replace_in(module)


class _CompiledOps(ExtensionFileLoader):
    """Loads mmcv's compiled ops; the error if they do not load is one line with the alternatives."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        try:
            return super().create_module(spec)
        except ImportError as error:
            torch = getattr(sys.modules.get('torch'), '__version__', '(not imported)')
            raise ImportError(
                f"mmcv's compiled ops do not load with torch {torch}: {error}. "
                f'Install an mmcv that is built for it, or set {VARIABLE}=python to use the ops of eakd_det',
                name=_EXT,
            ) from error
