"""``tools/dist_train.sh`` with two processes learns what one process learns from twice the batch."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.test_cli.conftest import Workspace
from tests.test_parallel import deterministic
from tests.test_parallel.conftest import free_port

LEARNED_BESIDE = ('loss_kd.tau.theta', 'loss_review.fusion', 'connectors.widen')


def test_two_processes_learn_what_one_learns_from_twice_the_batch(
    workspace: Workspace, dist_train: Callable[..., subprocess.Popen[str]]
) -> None:
    """--auto-scale-lr scales both runs equally: 2 images in total, against a base of 4."""
    teacher = str(workspace.root / 'teacher.pth')
    flags = ['--auto-scale-lr', '--cfg-options', 'auto_scale_lr.base_batch_size=4']
    config = workspace.write(deterministic.config(workspace.data, teacher, batch_size=1))
    process = dist_train(config, *flags)
    assert process.wait(timeout=300) == 0, (workspace.root / 'stderr').read_text()[-3000:]
    first, second = (torch.load(workspace.work_dir / f'probe_{rank}.pth') for rank in (0, 1))

    assert workspace.train(workspace.write(deterministic.config(workspace.data, teacher, batch_size=2)), *flags) == 0
    alone = torch.load(workspace.work_dir / 'probe_0.pth')

    assert first['rates'] == second['rates'] == alone['rates'] == [0.005] * 3
    _same_losses(first, second, alone)
    _same_parameters(first, second, alone)
    for facts in (first, second):
        _teacher_is_not_synchronised(facts, workspace)


@pytest.mark.slow
def test_two_launchers_find_each_other_as_on_two_machines(
    workspace: Workspace, dist_train: Callable[..., subprocess.Popen[str]]
) -> None:
    """One process each, with NNODES, NODE_RANK, MASTER_ADDR and PORT, as docs/parallel.md says."""
    config = workspace.write(deterministic.config(workspace.data, str(workspace.root / 'teacher.pth'), batch_size=1))
    place = dict(NNODES='2', MASTER_ADDR='127.0.0.1', PORT=free_port())
    machines = [dist_train(config, processes=1, NODE_RANK=str(rank), **place) for rank in (0, 1)]
    for machine in machines:
        assert machine.wait(timeout=300) == 0, (workspace.root / 'stderr').read_text()[-3000:]

    first, second = (torch.load(workspace.work_dir / f'probe_{rank}.pth') for rank in (0, 1))
    for one, other in zip(first['parameters'], second['parameters'], strict=True):
        assert all(torch.equal(value, other[name]) for name, value in one.items())
    assert first['losses'] != second['losses']


def _same_losses(first: dict[str, Any], second: dict[str, Any], alone: dict[str, Any]) -> None:
    for one, other, both in zip(first['losses'], second['losses'], alone['losses'], strict=True):
        assert {'distill.loss_kd', 'distill.loss_review', 'distill.loss_fpn', 'student.loss_bbox'} <= set(both)
        assert one != other  # each had a different image
        mean = {name: (one[name] + other[name]) / 2 for name in both}
        assert mean == pytest.approx(both, rel=2e-5, abs=1e-7)


def _same_parameters(first: dict[str, Any], second: dict[str, Any], alone: dict[str, Any]) -> None:
    steps = zip(first['parameters'], second['parameters'], alone['parameters'], strict=True)
    for one, other, both in steps:
        for name, value in one.items():
            assert torch.equal(value, other[name]), name  # bit for bit: both had the same averaged gradient
            torch.testing.assert_close(value, both[name], rtol=1e-4, atol=2e-6, msg=lambda text, n=name: f'{n}: {text}')
    start, end = (first['parameters'][index] for index in (0, -1))
    moved = {name for name in start if not torch.equal(start[name], end[name])}
    for part in LEARNED_BESIDE:
        assert any(part in name for name in moved), part
    assert {'architecture.backbone.conv1.weight', 'architecture.roi_head.bbox_head.fc_cls.weight'} <= moved


def _teacher_is_not_synchronised(facts: dict[str, Any], workspace: Workspace) -> None:
    assert facts['of_teacher'] == 0
    assert facts['reduced'] == facts['trained'] > 0
    assert not facts['finds_unused']
    assert not facts['broadcasts_buffers']
    assert facts['broadcasts'] == 0  # only gradients are exchanged
    loaded = torch.load(workspace.root / 'teacher.pth')['state_dict']
    assert all(torch.equal(value, loaded[name]) for name, value in facts['teacher'].items())
