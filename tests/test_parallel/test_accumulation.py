"""Gradient accumulation and clipping over student and distiller."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope
from torch import Tensor

from eakd_det.building import build_model
from tests import tiny
from tests.test_parallel import deterministic

BATCHES = tuple(tiny.batch(((96, 128),), seed=seed) for seed in range(4))


@pytest.fixture
def model() -> Any:
    """A student and trained distillation modules, with losses that are means over images."""
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = build_model(dict(deterministic.model(), architecture=tiny.build(deterministic.detector())))
    model.teacher.init_weights()
    model.teacher.roi_head.bbox_head.fc_cls.weight.data.mul_(100)
    model.train()
    deterministic.freeze_norms(model)
    return model


def joined(*batches: dict[str, Any]) -> dict[str, Any]:
    return {key: [item for batch in batches for item in batch[key]] for key in batches[0]}


def train(model: Any, batches: list[dict[str, Any]], lr: float = 0.01, **settings: Any) -> list[dict[str, Tensor]]:
    """Return the parameters after each batch, from the same start."""
    start = deterministic.tensors_of(model)
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9), **settings)
    optimizer.initialize_count_status(model, 0, len(batches))
    history = []
    for batch in batches:
        np.random.seed(0)
        model.train_step(dict(batch), optimizer)
        history.append(deterministic.tensors_of(model))
    for name, value in (*model.named_parameters(), *model.named_buffers()):
        value.data.copy_(start[name])
    return history


def test_two_accumulated_batches_are_one_of_twice_the_size(model: Any) -> None:
    """Without the temperature's ramp, which counts batches like MMEngine."""
    model.distiller.distill_losses.loss_kd.tau.iterations.count.fill_(2)
    apart = train(model, list(BATCHES), accumulative_counts=2)
    together = train(model, [joined(*BATCHES[:2]), joined(*BATCHES[2:])])

    trained = [name for name, _ in model.named_parameters()]
    moved = {name for name in trained if not torch.equal(apart[0][name], apart[2][name])}
    assert len(moved) > 0.7 * len(trained)  # the others' gradients are too small for float32
    assert {'distiller.distill_losses.loss_kd.tau.theta', 'architecture.backbone.conv1.weight'} <= moved
    for name in trained:
        assert torch.equal(apart[1][name], apart[2][name])  # no step within an accumulation
        for at, step in ((1, 0), (3, 1)):
            torch.testing.assert_close(apart[at][name], together[step][name], rtol=1e-4, atol=2e-6)
    counts = [name for name in apart[0] if name.endswith('iterations.count')]
    assert [int(apart[3][name]) for name in counts] == [2 + 4]


def test_clipping_uses_one_norm_of_the_accumulated_gradients(model: Any) -> None:
    free = _first_step(model)
    norm = torch.stack([gradient.norm() for gradient in free.values()]).norm()
    clipped = _first_step(model, clip_grad=dict(max_norm=float(norm) / 8))

    assert any(name.startswith('distiller.') and gradient.abs().max() > 0 for name, gradient in free.items())
    for name, gradient in free.items():
        torch.testing.assert_close(clipped[name], gradient / 8, rtol=1e-3, atol=1e-6)  # rounding of the parameters
    assert all(parameter.grad is None for parameter in model.teacher.parameters())


def _first_step(model: Any, **settings: Any) -> dict[str, Tensor]:
    """Return the gradients of the first step of two accumulated batches, as the change of the parameters."""
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    model.distiller.distill_losses.loss_kd.tau.iterations.count.fill_(2)
    after = train(model, list(BATCHES[:2]), lr=1.0, accumulative_counts=2, **settings)[-1]
    return {name: value - after[name] for name, value in before.items()}
