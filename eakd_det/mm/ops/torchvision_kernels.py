"""The one place that looks whether torchvision's compiled kernels are there."""

from __future__ import annotations

import functools
import importlib
from typing import Any


@functools.cache
def torchvision_ops() -> Any | None:
    """Return the module ``torchvision.ops``, or None where torchvision is missing or does not load.

    A torchvision built for another torch raises ``RuntimeError: operator torchvision::nms does not exist`` or an
    ``OSError`` as it is imported.
    """
    try:
        importlib.import_module('torchvision.extension')._assert_has_ops()
        return importlib.import_module('torchvision.ops')
    except (ImportError, OSError, RuntimeError, AttributeError):
        return None
