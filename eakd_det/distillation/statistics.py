"""What the weights do during training, summed on the device and read once per logging interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.functional import entropy
from eakd_det.losses import Terms

STATISTICS_ITER = 'statistics_iter'


class ProposalStatistics:
    """Running sums over the proposals of the last ``interval`` steps.

    Every step adds to sums that stay on the device; only :meth:`read` brings them to the host. That way logging costs
    one synchronisation per interval and not one per step and number.

    Args:
        interval: Number of steps between two readings.
        entropy_tau: Temperature of the logged entropies. Not a loss setting: it stays the same over all arms of a
            comparison, so that their logs can be laid side by side. Defaults to 3.0, EA-KD's T'.
    """

    def __init__(self, interval: int = 50, entropy_tau: float = 3.0) -> None:
        self.interval = interval
        self.entropy_tau = entropy_tau
        self._steps = 0
        self._sums: dict[str, Tensor] = {}

    def state_dict(self) -> dict[str, Any]:
        """The sums so far, for a run that goes on later."""
        return {'steps': self._steps, 'sums': {name: values.cpu() for name, values in self._sums.items()}}

    def load_state_dict(self, state: Mapping[str, Any], device: torch.device | str = 'cpu') -> None:
        """Go on from what :meth:`state_dict` gave, on the device that is summed on."""
        self._steps = state['steps']
        self._sums = {name: values.to(device) for name, values in state['sums'].items()}

    @torch.no_grad()
    def add_weights(self, prefix: str, terms: Terms, labels: Tensor, background: int) -> None:
        """Add one loss's weights: of proposals, foreground and background apart; of images, all together.

        Args:
            prefix: Prefix of the loss's statistics, see :func:`log_names`.
            terms: The loss's terms; ``terms.unit`` states what their rows are.
            labels: The class assigned to each proposal, ``(R,)``.
            background: The label of background.

        Raises:
            ConfigError: If the rows are proposals by ``terms.unit``, but not ``R``.
        """
        weights = terms.weights.detach().double()
        moments = torch.stack([torch.ones_like(weights), weights, weights * weights])
        if terms.unit == 'image':
            self._add(f'{prefix}image', moments.sum(dim=1))
            return
        if len(weights) != len(labels):
            raise ConfigError(
                f'distill_losses: expected a weight for each of {len(labels)} proposals, but got '
                f"{len(weights)}; a loss with weights of images returns Terms(..., unit='image')"
            )
        is_foreground = (labels != background).double()
        self._add(f'{prefix}fg', moments @ is_foreground)
        self._add(f'{prefix}bg', moments @ (1 - is_foreground))

    @torch.no_grad()
    def add_entropies(self, student_logits: Tensor, teacher_logits: Tensor) -> None:
        """Add the entropies of both sides, in nats, of logits ``(R, C)``."""
        for side, logits in (('student', student_logits), ('teacher', teacher_logits)):
            values = entropy(logits.detach(), self.entropy_tau).double()
            self._add(f'entropy_{side}', torch.stack([values.new_tensor(len(values)), values.sum()]))

    @torch.no_grad()
    def add_ratio(self, distillation: Tensor, detection: Tensor) -> None:
        """Add the ratio of one step's distillation loss to its detection loss."""
        ratio = distillation.detach().double() / detection.detach().double().clamp_min(1e-12)
        self._add('ratio_to_detection', torch.stack([torch.ones_like(ratio), ratio]))

    @torch.no_grad()
    def add_value(self, name: str, value: Tensor) -> None:
        """Add what a loss has to say of itself in this step, a scalar such as a learned temperature."""
        value = value.detach().double().reshape(())
        self._add(name, torch.stack([torch.ones_like(value), value]))

    def _add(self, name: str, values: Tensor) -> None:
        self._sums[name] = self._sums[name] + values if name in self._sums else values

    def end_step(self) -> dict[str, Tensor]:
        """Count a step; return the statistics when they are due (the first step, then every interval), else nothing.

        Returns:
            Names without 'loss' (MMEngine would add such entries to the total), and scalars on the CPU: mean and
            standard deviation of the weights for foreground and background apart, mean entropies, loss ratio, and means
            of what losses say of themselves. What had no proposals in the interval is left out. ``statistics_iter`` is
            the step of the reading: a log with lines between two readings repeats the former, and this tells it.
        """
        self._steps += 1
        if self._steps % self.interval == 0:
            return self._read(clear=True)
        return self._read(clear=False) if self._steps == 1 else {}

    def _read(self, clear: bool) -> dict[str, Tensor]:
        names, sizes = list(self._sums), [len(values) for values in self._sums.values()]
        if not names:
            return {}
        on_host = torch.cat(list(self._sums.values())).cpu().split(sizes)
        if clear:
            self._sums = {}
        result: dict[str, Tensor] = {STATISTICS_ITER: torch.tensor(float(self._steps))}
        for name, (count, *moments) in zip(names, on_host, strict=True):
            if count == 0:
                continue
            mean = moments[0] / count
            if len(moments) == 1:
                result[name] = mean.float()
            else:
                result[f'{name}_weight'] = mean.float()
                result[f'{name}_weight_std'] = (moments[1] / count - mean * mean).clamp_min(0).sqrt().float()
        return result


def log_names(loss_names: Iterable[str]) -> dict[str, str]:
    """Return the prefix of each loss's statistics: its name without 'loss', which MMEngine would add to the total.

    Raises:
        ConfigError: If two losses would have the same prefix.

    Example:
        >>> log_names(['loss_kd', 'pkd_loss', 'loss'])
        {'loss_kd': 'kd.', 'pkd_loss': 'pkd.', 'loss': ''}
    """
    found: dict[str, str] = {}
    for name in loss_names:
        short = name.replace('loss_', '').replace('_loss', '').replace('loss', '')
        found[name] = f'{short}.' if short else ''
        twins = [other for other, prefix in found.items() if prefix == found[name]]
        if len(twins) > 1:
            raise ConfigError(
                f"model.distiller.distill_losses: expected names that differ without 'loss', by which statistics are "
                f'logged, but got {" and ".join(twins)}'
            )
    return found
