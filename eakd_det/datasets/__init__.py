"""Data: the set that the package makes for itself, checks of annotation files, and the data options of a config."""

from __future__ import annotations

from eakd_det.datasets.annotations import check_coco_annotations
from eakd_det.datasets.digit_scenes import DigitScenes, make_digit_scenes
from eakd_det.datasets.options import apply_data_options, move_data_root

__all__ = ['DigitScenes', 'apply_data_options', 'check_coco_annotations', 'make_digit_scenes', 'move_data_root']
