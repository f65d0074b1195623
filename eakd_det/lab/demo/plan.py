"""The demo as a plan of the experiment runner: data, arms and iterations."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eakd_det.lab.experiment.plan import Arm, Plan, TeacherStage
from eakd_det.paths import short_path

TEACHER_CONFIG = 'teacher_faster-rcnn_r18w32_fpn_demo.py'
STUDENT_CONFIG = 'student_faster-rcnn_r18w16_fpn_demo.py'
EA_KD_CONFIG = 'ea-kd_faster-rcnn_r18w32-r18w16_fpn_demo.py'
PACKAGED_TEACHER = 'zoo://demo-teacher'  # trained by this demo with seed 0
TITLES = {'teacher': 'teacher', 'student': 'student', 'ea-kd': 'student with EA-KD'}


@dataclasses.dataclass(frozen=True)
class Size:
    """Size of a demo.

    Args:
        scenes: Arguments of :func:`eakd_det.lab.scenes.make_digit_scenes`.
        options: Overrides for all configs, by dotted key.
        expected: Duration on two CPU cores, in words.
    """

    scenes: Mapping[str, Any]
    options: Mapping[str, Any]
    expected: str


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


def demo_plan(configs: Path, size: Size, seed: int, teacher: str | None = None) -> Plan:
    """Return the plan: a teacher, a student, and the student with EA-KD, all of one seed.

    Args:
        configs: The folder of the demo's configs.
        size: Size of the demo.
        seed: Seed of initial weights, batches and sampling.
        teacher: Checkpoint of the teacher; None trains it first.
    """
    configs = short_path(configs)  # for commands that also hold on another machine
    arms = {'student': STUDENT_CONFIG, 'ea-kd': EA_KD_CONFIG}
    stage = TeacherStage(configs / TEACHER_CONFIG, seed=seed) if teacher is None else TeacherStage(checkpoint=teacher)
    return Plan(
        title='EA-KD demo',
        arms=tuple(Arm(name, TITLES[name], configs / config) for name, config in arms.items()),
        seeds=(seed,),
        student='student',
        teacher=stage,
        data={'type': 'digit_scenes', **size.scenes},
        options=size.options,
    )
