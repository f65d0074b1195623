"""Run code around the import of another package's module."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

Around = Callable[[], AbstractContextManager[object]]


class _Finder(MetaPathFinder):
    """Finds a module with the other finders and executes it inside a context."""

    def __init__(self) -> None:
        self.around: dict[str, Around] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        around = self.around.get(name)
        if around is None:
            return None
        others = (finder for finder in sys.meta_path if finder is not self and hasattr(finder, 'find_spec'))
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in others)), None)
        if spec is not None and spec.loader is not None:
            _surround(spec.loader, around)
        return spec


def _surround(loader: object, around: Around) -> None:
    execute = loader.exec_module  # type: ignore[attr-defined]

    def exec_module(module: ModuleType) -> None:
        with around():
            execute(module)

    loader.exec_module = exec_module  # type: ignore[attr-defined]


_FINDER = _Finder()


def around_import(name: str, around: Around) -> None:
    """Execute module ``name`` inside the context that ``around`` returns whenever it is imported.

    For a module that has been imported, the context is entered and left at once. A second context replaces the first.

    Example:
        >>> import contextlib
        >>> around_import('colorsys', lambda: contextlib.nullcontext(print('imported')))
        >>> import colorsys
        imported
    """
    _FINDER.around[name] = around
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    if name in sys.modules:
        with around():
            pass
