"""One call from a folder of photos to a distilled student."""

from __future__ import annotations

from eakd_det.onecall.distilling import distill
from eakd_det.onecall.result import Distilled

__all__ = ['Distilled', 'distill']
