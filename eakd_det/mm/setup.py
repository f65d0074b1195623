"""Say what happens when a package of OpenMMLab is imported."""

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
    """Set all of it up. It imports none of these packages, but acts at once on those that have been imported."""
    for room in OPENMMLAB_ROOMS:
        around_import(f'{SCOPE}.{room}', _first(require_openmmlab))
    around_import('mmengine.utils.package_utils', _then(_without_pkg_resources))
    around_import('mmengine', _then(_prepare_mmengine))
    around_import('mmdet', accepted_mmcv)
    around_import('mmrazor', mmrazor_on_any_torch)


def _without_pkg_resources() -> None:
    importlib.import_module('eakd_det.mm.installed_packages').replace_package_utils()


def _prepare_mmengine() -> None:
    importlib.import_module('eakd_det.mm.checkpoint_types').allow_mmengine_checkpoints()
    importlib.import_module('eakd_det.mm.logs').log_by_mmengine()


def _first(job: Callable[[], Any]) -> Around:
    @contextlib.contextmanager
    def around() -> Iterator[None]:
        job()
        yield

    return around


def _then(job: Callable[[], Any]) -> Around:
    @contextlib.contextmanager
    def around() -> Iterator[None]:
        yield
        job()

    return around
