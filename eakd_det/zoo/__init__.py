"""Trained detectors by name.

``zoo://NAME`` stands for the weights wherever a checkpoint is expected: ``model.teacher_ckpt``, ``init_cfg``,
``load_from`` and the tools. Names are in ``model-index.yml``.
"""

from __future__ import annotations

from eakd_det.checkpoint.zoo_index import ZooEntry, zoo_entries, zoo_entry
from eakd_det.zoo.loading import load_detector

__all__ = ['ZooEntry', 'load_detector', 'zoo_entries', 'zoo_entry']
