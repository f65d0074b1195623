from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from eakd_det.cli.resuming import make_resumable, set_resume

SAFE, EXACT = 'eakd_det.SafeCheckpointHook', 'eakd_det.ExactResumeHook'


def test_options_of_the_checkpoint_hook_stay_and_hooks_of_the_user_come_first() -> None:
    cfg = Config(
        dict(
            default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=3, save_best='auto')),
            custom_hooks=[dict(type='EMAHook')],
        )
    )
    make_resumable(cfg)
    assert cfg.default_hooks.checkpoint == dict(type=SAFE, interval=3, save_best='auto')
    assert cfg.custom_hooks == [dict(type='EMAHook'), dict(type=EXACT)]
    make_resumable(cfg)
    assert len(cfg.custom_hooks) == 2


@pytest.mark.parametrize('checkpoint', [None, dict(type='MyHook', interval=1)])
def test_another_checkpoint_hook_is_left_alone(checkpoint: Any) -> None:
    cfg = Config(dict(default_hooks=dict(checkpoint=checkpoint)))
    make_resumable(cfg)
    assert cfg.default_hooks.checkpoint == checkpoint
    assert cfg.custom_hooks == [dict(type=EXACT)]


def test_mmengines_default_is_replaced_too() -> None:
    cfg = Config(dict())
    make_resumable(cfg)
    assert cfg.default_hooks.checkpoint == dict(type=SAFE, interval=1)


def test_where_a_resume_goes_on(tmp_path: Path) -> None:
    cfg = Config(dict(work_dir=str(tmp_path), load_from='weights.pth'))
    set_resume(cfg, None)
    assert (cfg.get('resume'), cfg.load_from) == (None, 'weights.pth')
    set_resume(cfg, 'auto')
    assert (cfg.resume, cfg.load_from) == (False, 'weights.pth')  # none in the folder: as without a resume
    set_resume(cfg, 'a.pth')
    assert (cfg.resume, cfg.load_from) == (True, 'a.pth')


def test_a_resume_of_a_config_without_a_start_is_from_scratch(tmp_path: Path) -> None:
    cfg = Config(dict(work_dir=str(tmp_path), resume=True))
    set_resume(cfg, None)
    assert (cfg.resume, cfg.get('load_from')) == (False, None)
