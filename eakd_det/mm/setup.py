"""Register the changes that are made when a package of OpenMMLab is imported."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator
from typing import Any

from eakd_det.mm.import_hooks import Around, around_import
from eakd_det.mm.required import require_openmmlab
from eakd_det.mm.versions import accepted_mmcv, mmrazor_on_any_torch
from eakd_det.names import OPENMMLAB_ROOMS, SCOPE


def install() -> None:
    """Register all changes; packages that have been imported are changed at once, and none is imported."""
    for room in OPENMMLAB_ROOMS:
        around_import(f'{SCOPE}.{room}', _calling(before=require_openmmlab))
    around_import('mmcv', _calling(before=_lazy('ops.finder', 'install')))
    around_import('mmengine.utils.package_utils', _calling(_lazy('installed_packages', 'replace_package_utils')))
    around_import(
        'mmengine', _calling(_lazy('checkpoint_types', 'allow_mmengine_checkpoints'), _lazy('logs', 'log_by_mmengine'))
    )
    around_import('mmengine.runner.checkpoint', _calling(_lazy('checkpoint_types', 'load_tensors_only')))
    around_import('mmdet', accepted_mmcv)
    around_import('mmrazor', mmrazor_on_any_torch)


def _lazy(module: str, function: str) -> Callable[[], Any]:
    """Return a function that imports ``module`` of this package and calls its ``function``."""
    return lambda: getattr(importlib.import_module(f'{__package__}.{module}'), function)()


def _calling(*after: Callable[[], Any], before: Callable[[], Any] | None = None) -> Around:
    """Return a context that calls ``before`` on entry and each of ``after`` on exit."""

    @contextlib.contextmanager
    def around() -> Iterator[None]:
        if before is not None:
            before()
        yield
        for call in after:
            call()

    return around
