"""The module ``mmcv._ext`` with the ops of this package, under mmcv's names and signatures."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.mm.ops.nms import nms
from eakd_det.mm.ops.nms_match import nms_match
from eakd_det.mm.ops.soft_nms import soft_nms


def fill(module: ModuleType) -> None:
    """Add all ops to ``module``; those that this package lacks raise when they are called."""
    module.nms = nms  # type: ignore[attr-defined]
    module.nms_match = nms_match  # type: ignore[attr-defined]
    module.softnms = _softnms  # type: ignore[attr-defined]
    module.get_compiler_version = lambda: 'none: the ops of eakd_det'  # type: ignore[attr-defined]
    module.get_compiling_cuda_version = lambda: 'not available'  # type: ignore[attr-defined]
    module.__getattr__ = missing  # type: ignore[method-assign]


def missing(name: str) -> Callable[..., NoReturn]:
    """Return a function that raises an error with the way to get the op ``name``.

    Example:
        >>> missing('carafe_forward')()
        Traceback (most recent call last):
        ...
        eakd_det.errors.ConfigError: mmcv op carafe_forward: expected an mmcv with compiled ops, ...
    """
    if name.startswith('__'):
        raise AttributeError(name)

    def op(*args: Any, **kwargs: Any) -> NoReturn:
        raise ConfigError(
            f'mmcv op {name}: expected an mmcv with compiled ops, but got the ops of eakd_det, which lack it; '
            'install mmcv==2.1.0 built for your torch (docs/install.md)'
        )

    return op


def _softnms(
    boxes: Tensor,
    scores: Tensor,
    dets: Tensor,
    iou_threshold: float,
    sigma: float,
    min_score: float,
    method: int,
    offset: int,
) -> Tensor:
    """Write the kept boxes with their new scores into the first rows of ``dets`` and return their indices."""
    kept, rescored = soft_nms(
        boxes, scores, iou_threshold, sigma, min_score, ('naive', 'linear', 'gaussian')[method], offset
    )
    dets[: len(kept)] = rescored
    return kept
