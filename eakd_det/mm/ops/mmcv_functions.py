"""Functions that stand in for those of ``mmcv.ops``, with mmcv's names and signatures.

mmcv's own are autograd functions around a kernel that fills buffers. Ours are compositions that autograd knows; the
modules of mmcv (``RoIAlign``, ``DeformConv2d``, ...) call them by the same names.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.mm.ops import roi_align as roi_align_module


def replace_in(module: ModuleType) -> None:
    """Put our functions in the place of those of ``module``, one of ``mmcv.ops``."""
    for name, function in _FUNCTIONS[module.__name__.rpartition('.')[2]].items():
        setattr(module, name, function)


def roi_align(
    input: Tensor,
    rois: Tensor,
    output_size: int | tuple[int, int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = 0,
    pool_mode: str = 'avg',
    aligned: bool = True,
) -> Tensor:
    """Stand in for ``mmcv.ops.roi_align``; see :func:`eakd_det.mm.ops.roi_align.roi_align`."""
    if pool_mode != 'avg':
        raise ConfigError(f"roi_layer.pool_mode: expected 'avg', but got {pool_mode!r}, which needs compiled mmcv ops")
    return roi_align_module.roi_align(input, rois, output_size, spatial_scale, sampling_ratio, aligned)


_FUNCTIONS: dict[str, dict[str, Any]] = {'roi_align': dict(roi_align=roi_align)}
