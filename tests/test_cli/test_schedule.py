"""The schedule of the learning rate follows the length of the training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eakd_det.cli.config import merge_options, read_config

CONFIGS = Path(__file__).parents[2] / 'configs'
SMALL = CONFIGS / 'custom_small/student_faster-rcnn_r18w16_fpn_custom-small.py'
COCO = CONFIGS / 'pairs/r101-r18_coco.py'


def schedulers(path: Path | str, **options: Any) -> list[dict[str, Any]]:
    cfg = read_config(str(path))
    merge_options(cfg, {name.replace('__', '.'): value for name, value in options.items()})
    return [dict(scheduler) for scheduler in cfg.param_scheduler]


@pytest.mark.parametrize('iterations', [150, 900])
def test_a_cosine_falls_until_the_end(iterations: int) -> None:
    warm_up, cosine = schedulers(SMALL, train_cfg__max_iters=iterations)
    assert warm_up == schedulers(SMALL)[0]
    assert (cosine['begin'], cosine['end'], cosine['T_max']) == (30, iterations, iterations - 30)


def test_milestones_keep_their_share() -> None:
    _, steps = schedulers(f'{COCO}+ea-kd', train_cfg__max_iters=90_000)
    assert (steps['end'], steps['milestones']) == (90_000, [60_000, 80_000])


def test_epochs_whose_cosine_begins_in_the_middle() -> None:
    path = CONFIGS / 'dense/student_rtmdet_tiny_300e_coco.py'
    cosine = schedulers(path, train_cfg__max_epochs=100)[-1]
    assert (cosine['begin'], cosine['end'], cosine['T_max']) == (50, 100, 50)


@pytest.mark.parametrize(
    'options',
    [
        {'train_cfg__max_iters': 900, 'param_scheduler__1__gamma': 0.5},  # the schedule is the user's
        {'train_cfg__max_iters': 3},  # a trial within the warm-up
        {'train_cfg__val_interval': 900},
    ],
    ids=['own schedule', 'trial', 'other key'],
)
def test_it_is_left_alone(options: dict[str, Any]) -> None:
    changed, before = schedulers(SMALL, **options)[1], schedulers(SMALL)[1]
    assert {name: changed[name] for name in before} == before
