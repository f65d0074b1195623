r"""The student's detection loss on a plane through its weights (EA-KD, Fig. 7).

With two random directions :math:`d_1, d_2`, each filter of which has the norm of the student's filter (Li et al.,
2018, arXiv 1712.09913), :math:`L(a, b)` is the loss of the weights :math:`\theta + a d_1 + b d_2`. One-dimensional
parameters (biases, normalisation) stay as they are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.runner import set_random_seed
from torch import Tensor, nn

from eakd_det.arguments import Positive, require
from eakd_det.errors import ConfigError

_REFINE = 20  # steps between two points when an area is measured


@dataclasses.dataclass(frozen=True)
class LossSurface:
    """Losses on a square grid; non-finite ones are infinite.

    Args:
        axis: Positions along both directions, ``(P,)``, in norms of the filters; 0 is the student itself.
        losses: ``(P, P)``; rows are the second direction.
    """

    axis: np.ndarray
    losses: np.ndarray

    @property
    def centre(self) -> float:
        """Loss of the student itself."""
        middle = len(self.axis) // 2
        return float(self.losses[middle, middle])

    def area(self, level: float) -> float:
        """Return the area on which the loss is at most ``level``, in squared filter norms; linear between the points.

        Example:
            >>> axis = np.array([-1.0, 0.0, 1.0])
            >>> LossSurface(axis, np.abs(axis)[None, :].repeat(3, axis=0)).area(0.5)
            2.0
        """
        side = (len(self.axis) - 1) * _REFINE
        fine = np.linspace(self.axis[0], self.axis[-1], side, endpoint=False)
        fine = fine + (fine[1] - fine[0]) / 2  # centres of small squares
        losses = np.minimum(self.losses, np.finfo(np.float32).max)
        rows = np.stack([np.interp(fine, self.axis, row) for row in losses])
        cells = np.stack([np.interp(fine, self.axis, column) for column in rows.T])
        return float((cells <= level).mean() * (self.axis[-1] - self.axis[0]) ** 2)

    def is_saturated(self, level: float) -> bool:
        """Return whether the loss is at most ``level`` everywhere, so that the area is only a lower bound.

        Example:
            >>> LossSurface(np.array([-1.0, 0.0, 1.0]), np.ones((3, 3))).is_saturated(1.5)
            True
        """
        return bool((self.losses <= level).all())


def filter_normalised_direction(parameters: Sequence[Tensor], generator: torch.Generator) -> list[Tensor]:
    """Return a random direction whose filters (first dimension) have the norms of those in ``parameters``.

    Example:
        >>> weight = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
        >>> direction, bias = filter_normalised_direction([weight, torch.ones(2)], torch.Generator().manual_seed(0))
        >>> direction.norm(dim=1), bias
        (tensor([5., 0.]), tensor([0., 0.]))
    """
    direction = []
    for parameter in parameters:
        if parameter.dim() < 2:
            direction.append(torch.zeros_like(parameter))
            continue
        random = torch.randn(parameter.shape, generator=generator).to(parameter)
        shape = (-1, *[1] * (parameter.dim() - 1))
        scale = parameter.flatten(1).norm(dim=1) / random.flatten(1).norm(dim=1).clamp_min(1e-12)
        direction.append(random * scale.view(shape))
    return direction


@torch.no_grad()
def measure_surface(
    model: nn.Module,
    batches: Sequence[Mapping[str, Any]],
    points: int = 11,
    span: float = 1.0,
    seed: int = 0,
    progress: Callable[[int], None] = lambda done: None,
) -> LossSurface:
    """Measure the loss around ``model``; its weights are restored.

    The loss is that of training: training mode, BatchNorm over the batch if it does so in training, and the same random
    numbers for the samplers at every point.

    Args:
        model: A detector.
        batches: Training batches from its ``data_preprocessor``.
        points: Number of points along each direction, odd, so that the student itself is one.
        span: Farthest step along each direction, in norms of the filters.
        seed: Seed of the directions and of the samplers.
        progress: Called with the number of finished points.

    Raises:
        ConfigError: If ``points`` is even or below 3, ``span`` is not above 0, or there are no batches.
    """
    require('--span', span, Positive)
    if points < 3 or points % 2 == 0:
        raise ConfigError(f'--points: expected an odd number of at least 3, but got {points}')
    if not batches:
        raise ConfigError('--batches: expected at least one, but got none')
    model.train()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    start = [parameter.clone() for parameter in parameters]
    generator = torch.Generator().manual_seed(seed)
    first, second = (filter_normalised_direction(start, generator) for _ in range(2))
    axis = np.linspace(-span, span, points)
    losses = np.empty((points, points))
    try:
        for row, b in enumerate(axis):
            for column, a in enumerate(axis):
                for parameter, origin, d1, d2 in zip(parameters, start, first, second, strict=True):
                    parameter.copy_(origin + float(a) * d1 + float(b) * d2)
                losses[row, column] = _mean_loss(model, batches, seed)
                progress(row * points + column + 1)
    finally:
        for parameter, origin in zip(parameters, start, strict=True):
            parameter.copy_(origin)
    return LossSurface(axis, np.where(np.isfinite(losses), losses, np.inf))


def _mean_loss(model: nn.Module, batches: Sequence[Mapping[str, Any]], seed: int) -> float:
    total = 0.0
    for number, batch in enumerate(batches):
        set_random_seed(seed + number)
        losses = model(**batch, mode='loss')
        values = [value for name, value in losses.items() if 'loss' in name]
        flat = [item.mean() for value in values for item in (value if isinstance(value, list) else [value])]
        total += float(torch.stack(flat).sum())
    return total / len(batches)
