"""Detector parts, memory layout, convolutions, mixed precision, and configs of the plain student."""

from __future__ import annotations

from eakd_det.models.memory_layout import accept_any_layout, train_channels_last
from eakd_det.models.mixed_precision import keep_boxes_in_float32
from eakd_det.models.mobilenet_v2 import MobileNetV2
from eakd_det.models.model_config import current_name, read_model_config
from eakd_det.models.stock import stock_student_config
from eakd_det.models.winograd import use_winograd

__all__ = [
    'MobileNetV2',
    'accept_any_layout',
    'current_name',
    'keep_boxes_in_float32',
    'read_model_config',
    'stock_student_config',
    'train_channels_last',
    'use_winograd',
]
