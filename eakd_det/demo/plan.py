"""What the demo trains, on what, and for how long."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Stage:
    """One training run.

    Args:
        name: Of its folder.
        title: What the table and the picture call it.
        config: Name of its file in ``configs/demo``.
        losses: Logged values to show while it trains, with their labels.
        learns_from: Name of the stage that trains its teacher, if it has one.
    """

    name: str
    title: str
    config: str
    losses: Mapping[str, str]
    learns_from: str | None = None


@dataclasses.dataclass(frozen=True)
class Size:
    """How large a demo is.

    Args:
        scenes: Arguments of :func:`eakd_det.datasets.make_digit_scenes`.
        options: What to override in all configs, by dotted key.
        expected: How long it takes on two CPU cores, in words.
    """

    scenes: Mapping[str, Any]
    options: Mapping[str, Any]
    expected: str


STUDENT_CONFIG = 'student_faster-rcnn_r18w16_fpn_demo.py'
STAGES = (
    Stage('teacher', 'teacher', 'teacher_faster-rcnn_r18w32_fpn_demo.py', {'loss': 'loss'}),
    Stage('student', 'student', STUDENT_CONFIG, {'loss': 'loss'}),
    Stage(
        'ea-kd',
        'student with EA-KD',
        'ea-kd_faster-rcnn_r18w32-r18w16_fpn_demo.py',
        {'loss': 'loss', 'distill.loss_kd': 'of it EA-KD'},
        learns_from='teacher',
    ),
)

FULL = Size(
    scenes={'num_train': 1600, 'num_val': 200, 'seed': 0, 'digits_per_scene': (4, 9), 'digit_height': (22, 44)},
    options={},
    expected='About 4 minutes',
)
QUICK = Size(
    scenes={'num_train': 32, 'num_val': 8, 'seed': 0},
    options={
        'train_cfg.max_iters': 4,
        'train_cfg.val_interval': 4,
        'train_dataloader.batch_size': 4,
        'default_hooks.logger.interval': 1,
    },
    expected='About a minute',
)
