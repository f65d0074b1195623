"""Which ops MMDetection gets: those that mmcv was compiled with, or this package's own in Python.

``mmcv.ops`` takes its kernels from the compiled module ``mmcv._ext``, which mmcv-lite does not have. :func:`install`
puts a finder into ``sys.meta_path`` that serves the module instead, so that ``from mmcv.ops import nms`` works. Nothing
is imported before mmcv itself is: this module needs the standard library alone.
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
# Modules of mmcv whose functions hand buffers to a kernel; ours return results, and autograd differentiates them.
_REPLACED = tuple(
    f'mmcv.ops.{name}'
    for name in ('roi_align', 'focal_loss', 'deform_conv', 'modulated_deform_conv', 'multi_scale_deform_attn')
)


def install(prefer: str | None = None) -> None:
    """Let ``mmcv.ops`` be imported whether or not mmcv has compiled ops.

    Calling this again changes the choice as long as ``mmcv.ops`` is not imported. Processes that :mod:`multiprocessing`
    starts (data-loader workers, spawned ranks), and theirs, install the same before they unpickle their work.

    Args:
        prefer: ``'auto'`` uses compiled ops if mmcv has them, else Python's; ``'compiled'`` and ``'python'`` force one
            of them. By default an earlier choice stays; the first one is what the environment variable
            ``EAKD_DET_OPS`` holds, or else ``'auto'``.

    Raises:
        ConfigError: If ``prefer`` is none of these, or other ops than it names are already imported.
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
    """Return whether ``mmcv.ops`` has, or would have if it were imported now, the ops of this package.

    They read features in any memory format, and are fastest on channels-last ones; compiled ops need contiguous ones.
    """
    spec = importlib.util.find_spec(_EXT)
    return spec is not None and isinstance(spec.loader, _PythonOps)


class _InstalledInChild:
    """An entry of a process's configuration, which its children copy and unpickle before anything they work on."""

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
                spec.loader = _WithOurFunctions(spec.loader.name, spec.loader.path)
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
    """Fill the module ``mmcv._ext`` with this package's ops."""

    def exec_module(self, module: ModuleType) -> None:
        from eakd_det.mm.ops import ext

        ext.fill(module)


class _WithOurFunctions(SourceFileLoader):
    """Load a module of ``mmcv.ops`` and put this package's functions in the place of its own."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        from eakd_det.mm.ops import mmcv_functions

        mmcv_functions.replace_in(module)


class _CompiledOps(ExtensionFileLoader):
    """Load mmcv's compiled ops, or say in one line how to go on without them."""

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
