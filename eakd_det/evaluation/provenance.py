"""Provenance of a result: versions, config, seed, device."""

from __future__ import annotations

import hashlib
import importlib
import platform
from importlib import metadata
from typing import Any

from mmengine.device import get_device
from mmengine.dist import get_world_size
from mmengine.runner import Runner

_PACKAGES = ('eakd_det', 'torch', 'mmengine', 'mmcv', 'mmdet', 'mmrazor', 'pycocotools', 'numpy')


def versions() -> dict[str, str | None]:
    """Return the versions of Python and of the packages that a result depends on; None if one is not installed.

    Example:
        >>> sorted(versions())
        ['eakd_det', 'mmcv', 'mmdet', 'mmengine', 'mmrazor', 'numpy', 'pycocotools', 'python', 'torch']
    """
    return {'python': platform.python_version(), **{name: _version(name) for name in _PACKAGES}}


def _version(name: str) -> str | None:
    try:
        module = importlib.import_module(name)
    except ImportError:
        return None
    stated = getattr(module, '__version__', None)
    try:
        return str(stated or metadata.version(name))
    except metadata.PackageNotFoundError:
        return None


def describe_run(runner: Runner, mode: str) -> dict[str, Any]:
    """Return the entry of a runner for a record; ``mode`` is 'train', 'val' or 'test'."""
    text = runner.cfg.pretty_text
    return {
        'mode': mode,
        'config': {
            'file': runner.cfg.filename,
            'sha256': hashlib.sha256(text.encode()).hexdigest(),
            'text': text,
        },
        'seed': runner.seed,
        'deterministic': runner.deterministic,
        'device': get_device(),
        'processes': get_world_size(),
        'versions': versions(),
    }
