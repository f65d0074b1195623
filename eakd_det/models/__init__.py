"""Backbones, and the way back to a plain MMDetection student."""

from __future__ import annotations

from eakd_det.models.mobilenet_v2 import MobileNetV2
from eakd_det.models.model_config import read_model_config
from eakd_det.models.stock import stock_student_config

__all__ = ['MobileNetV2', 'read_model_config', 'stock_student_config']
