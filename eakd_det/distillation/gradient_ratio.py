"""Set the size of the distillation loss by the gradients that arrive at the neck."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, distributed, nn

from eakd_det.arguments import Count, Positive, checked
from eakd_det.distillation.loss_sums import total_loss
from eakd_det.errors import ConfigError

_LIMIT = 1000.0


class GradientRatio(nn.Module):
    r"""A factor of all distillation losses that brings their gradient to a stated size.

    .. math:: f = r^* / \exp\bigl(\overline{\log r}\bigr), \qquad
        r = \frac{\lVert \partial L_{distill} / \partial F \rVert}{\lVert \partial L_{detection} / \partial F \rVert}

    with the neck's levels :math:`F`, which all losses share, and the mean over the measured steps. It replaces a search
    for the loss weight: 0.5 lets detection lead whatever the loss, the number of classes or the teacher.

    Args:
        target: The ratio :math:`r^*`.
        steps: The number of steps, from the first, in which the ratio is measured. The factor is updated in each of
            them, and constant afterwards.
        hold: Keep measuring once in ``interval`` steps after that, with an exponential mean over ``steps`` readings,
            so that the ratio stays as losses shrink at different rates.
        interval: Steps between two readings, if ``hold``. A reading costs one more backward pass through the heads.

    Attributes:
        mean_log_ratio: Mean of the logarithm of the ratio, a buffer that a resume restores.
        readings: Number of readings, likewise.

    Example:
        >>> features = [torch.ones(1, 1, 1, 1, requires_grad=True)]
        >>> ratio = GradientRatio(target=0.5)
        >>> ratio.measure(features, 2 * features[0].sum(), features[0].sum())
        >>> ratio.factor, ratio.log_values()['gradient_ratio']
        (tensor(0.2500), tensor(2.))
    """

    config_key = 'model.gradient_ratio'

    @checked
    def __init__(self, target: Positive = 0.5, steps: Count = 50, hold: bool = False, interval: Count = 10) -> None:
        super().__init__()
        self.target, self.steps, self.hold, self.interval = target, steps, hold, interval
        self.mean_log_ratio: Tensor
        self.readings: Tensor
        self.step: Tensor
        self.register_buffer('mean_log_ratio', torch.zeros(()))
        self.register_buffer('readings', torch.zeros((), dtype=torch.long))
        self.register_buffer('step', torch.zeros((), dtype=torch.long))

    @property
    def factor(self) -> Tensor:
        """The factor of the distillation losses, a scalar; 1 before the first reading."""
        factor = (self.target * torch.exp(-self.mean_log_ratio)).clamp(1 / _LIMIT, _LIMIT)
        return torch.where(self.readings > 0, factor, torch.ones_like(factor))

    def is_due(self) -> bool:
        """Count a step, and return whether the ratio is to be measured in it."""
        step = int(self.step)
        self.step += 1
        return step < self.steps or (self.hold and step % self.interval == 0)

    def measure(self, features: Sequence[Tensor], distillation: Tensor, detection: Tensor) -> None:
        """Read the ratio from both losses, scalars with a graph to ``features``; keeps the graph."""
        norms = torch.stack([_gradient_norm(loss, features) for loss in (distillation, detection)])
        if distributed.is_available() and distributed.is_initialized():
            distributed.all_reduce(norms)
        if not bool((norms > 0).all() & norms.isfinite().all()):
            return
        self.readings += 1
        share = 1 / self.readings.clamp(max=self.steps)
        self.mean_log_ratio.lerp_(torch.log(norms[0] / norms[1]), share)

    def log_values(self) -> dict[str, Tensor]:
        """Return the mean ratio before scaling, and the factor."""
        return {'gradient_ratio': torch.exp(self.mean_log_ratio), 'gradient_factor': self.factor}

    def scale(
        self, features: Sequence[Tensor], distill_losses: dict[str, Tensor], student_losses: dict[str, Any]
    ) -> dict[str, Tensor]:
        """Return the distillation losses times the factor, which is updated if a reading is due."""
        if self.is_due():
            self.measure(features, total_loss(distill_losses), total_loss(student_losses))
        factor = self.factor
        return {name: value * factor for name, value in distill_losses.items()}


@contextlib.contextmanager
def neck_levels(detector: Any) -> Iterator[list[Tensor]]:
    """Collect the neck's levels of a forward pass.

    Raises:
        ConfigError: If the detector has no neck.
    """
    if not detector.with_neck:
        raise ConfigError(
            f'model.gradient_ratio: expected a student with a neck, but {type(detector).__name__} has none'
        )
    levels: list[Tensor] = []
    handle = detector.neck.register_forward_hook(lambda module, inputs, outputs: levels.extend(outputs))
    try:
        yield levels
    finally:
        handle.remove()


def _gradient_norm(loss: Tensor, features: Sequence[Tensor]) -> Tensor:
    found = torch.autograd.grad(loss, list(features), retain_graph=True, allow_unused=True)
    squares = [gradient.float().square().sum() for gradient in found if gradient is not None]
    return torch.stack(squares).sum().sqrt() if squares else torch.zeros((), device=loss.device)
