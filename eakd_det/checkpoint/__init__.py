"""Safe reading and strict loading of checkpoints."""

from __future__ import annotations

from eakd_det.checkpoint.loading import (
    UnreadableCheckpointError,
    checkpoint_classes,
    load_checkpoint_file,
    load_detector_weights,
)
from eakd_det.checkpoint.report import LoadReport, compare_state_dicts

__all__ = [
    'LoadReport',
    'UnreadableCheckpointError',
    'checkpoint_classes',
    'compare_state_dicts',
    'load_checkpoint_file',
    'load_detector_weights',
]
