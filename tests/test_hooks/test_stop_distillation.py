"""Distillation that ends before the training does."""

from __future__ import annotations

from typing import Any

import pytest

from eakd_det.errors import ConfigError
from eakd_det.hooks import StopDistillationHook
from eakd_det.losses import KDLoss
from tests import tiny_data
from tests.test_cli.conftest import Workspace

HOOK = dict(type='eakd_det.StopDistillationHook', at=0.5)


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets an entry whenever the distillation loss compares two networks."""
    calls: list[int] = []
    reduce = KDLoss.reduce

    def count(self: KDLoss, terms: Any) -> Any:
        calls.append(len(calls))
        return reduce(self, terms)

    monkeypatch.setattr(KDLoss, 'reduce', count)
    return calls


def test_the_teacher_runs_in_the_first_half_only_also_after_resuming(
    workspace: Workspace, teacher_ckpt: str, compared: list[int]
) -> None:
    cfg = tiny_data.distill_config(workspace.data, teacher_ckpt, iters=6)
    cfg.default_hooks.stop_distillation = HOOK
    cfg.default_hooks.checkpoint.update(interval=2, max_keep_ckpts=-1, save_best=None)
    assert workspace.train(workspace.write(cfg)) == 0
    assert len(compared) == 3
    (workspace.work_dir / 'last_checkpoint').write_text(str(workspace.work_dir / 'iter_4.pth'))
    assert workspace.train(workspace.write(cfg), '--resume') == 0
    assert len(compared) == 3


def test_a_run_without_a_teacher_is_left_alone(workspace: Workspace) -> None:
    """The options of one call go to the plain student as well."""
    cfg = tiny_data.student_config(workspace.data, iters=1)
    cfg.default_hooks.stop_distillation = HOOK
    assert workspace.train(workspace.write(cfg)) == 0


@pytest.mark.parametrize('at', [0, 1, 1.5, '0.5'])
def test_a_fraction_is_above_0_and_below_1(at: Any) -> None:
    with pytest.raises(ConfigError, match='at: expected a number above 0 and below 1'):
        StopDistillationHook(at)
