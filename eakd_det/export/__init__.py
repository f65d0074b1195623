"""A trained detector outside of training: a function of a photo, ONNX files, int8."""

from __future__ import annotations

from eakd_det.export.detections import Detections
from eakd_det.export.detector import Detector
from eakd_det.export.onnx_detector import OnnxDetector
from eakd_det.export.onnx_file import export_onnx

__all__ = ['Detections', 'Detector', 'OnnxDetector', 'export_onnx']
