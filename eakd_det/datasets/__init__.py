"""Data options of a config, and checks of annotation and image files."""

from __future__ import annotations

from eakd_det.datasets.annotations import check_coco_annotations
from eakd_det.datasets.options import apply_data_options, move_data_root

__all__ = ['apply_data_options', 'check_coco_annotations', 'move_data_root']
