"""COCO evaluation hook, records of results, and their tables."""

from __future__ import annotations

from eakd_det.evaluation.coco_eval_hook import CocoEvalHook
from eakd_det.evaluation.metrics import COCO_METRICS, coco_figures, format_table, measured_figures
from eakd_det.evaluation.record import RECORD_NAME, EvalEntry, EvalRecord

__all__ = [
    'COCO_METRICS',
    'RECORD_NAME',
    'CocoEvalHook',
    'EvalEntry',
    'EvalRecord',
    'coco_figures',
    'format_table',
    'measured_figures',
]
