"""Access to torchvision's compiled kernels, if there are any."""

from __future__ import annotations

import functools
import importlib
from typing import Any


@functools.cache
def torchvision_ops() -> Any | None:
    """Return the module ``torchvision.ops``, or None if torchvision is missing or was built for another torch."""
    try:
        importlib.import_module('torchvision.extension')._assert_has_ops()
        return importlib.import_module('torchvision.ops')
    except (ImportError, OSError, RuntimeError, AttributeError):
        return None
