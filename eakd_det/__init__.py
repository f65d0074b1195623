"""Entropy-adaptive knowledge distillation for two-stage detectors, on MMDetection 3 and MMRazor 1.

Importing this package makes MMRazor importable on torch >= 2 and its own components buildable by name
(``type='eakd_det.ProposalDistill'``). The formulas are in :mod:`eakd_det.functional`.
"""

from __future__ import annotations

from eakd_det.mm.ops import finder
from eakd_det.version import __version__

finder.install()  # before anything imports mmcv.ops

from eakd_det import compat  # noqa: E402

compat.import_mmrazor()
compat.allow_mmengine_checkpoints()

__all__ = ['__version__']
