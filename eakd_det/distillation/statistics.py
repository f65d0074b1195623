"""What the weights do during training, summed on the device and read once per logging interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.losses import Terms
from eakd_det.sites import Scores

STATISTICS_ITER = 'statistics_iter'


class StepStatistics:
    """Running sums over the sites of the last ``interval`` steps.

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
        """Return the sums so far, for a run that is resumed later."""
        return {'steps': self._steps, 'sums': {name: values.cpu() for name, values in self._sums.items()}}

    def load_state_dict(self, state: Mapping[str, Any], device: torch.device | str = 'cpu') -> None:
        """Continue from the sums of :meth:`state_dict`, on the device of the model."""
        self._steps = state['steps']
        self._sums = {name: values.to(device) for name, values in state['sums'].items()}

    @torch.no_grad()
    def add_weights(self, prefix: str, terms: Terms, is_object: Tensor) -> None:
        """Add one loss's weights: of sites, with and without an object apart; of images, all together.

        Args:
            prefix: Prefix of the loss's statistics, see :func:`log_names`.
            terms: The loss's terms; ``terms.unit`` states what their rows are.
            is_object: Whether each site of the step has an object, ``(N,)``.

        Raises:
            ConfigError: If the rows are sites by ``terms.unit``, but not ``N``.
        """
        weights = terms.weights.detach()
        parts = weights if weights.dim() > 1 else weights.double().unsqueeze(1)
        moments = torch.stack([parts.pow(power).sum(dim=1, dtype=torch.double) for power in (0, 1, 2)])
        if terms.unit == 'image':
            self._add(f'{prefix}image', moments.sum(dim=1))
            return
        if terms.rows is not None:
            is_object = is_object[terms.rows]
        if len(weights) != len(is_object):
            raise ConfigError(
                f'distill_losses: expected a weight for each of {len(is_object)} proposals, but got '
                f"{len(weights)}; a loss with weights of images returns Terms(..., unit='image')"
            )
        objects = is_object.double()
        self._add(f'{prefix}fg', moments @ objects)
        self._add(f'{prefix}bg', moments @ (1 - objects))

    @torch.no_grad()
    def add_entropies(self, scores: Scores, student_logits: Tensor, teacher_logits: Tensor) -> None:
        """Add the entropies of both networks, in nats, of logits ``(N, C)`` that mean ``scores``."""
        for side, logits in (('student', student_logits), ('teacher', teacher_logits)):
            values = scores.entropy(logits.detach(), self.entropy_tau).double()
            self._add(f'entropy_{side}', torch.stack([values.new_tensor(len(values)), values.sum()]))

    @torch.no_grad()
    def add_ratio(self, distillation: Tensor, detection: Tensor) -> None:
        """Add the ratio of one step's distillation loss to its detection loss."""
        ratio = distillation.detach().double() / detection.detach().double().clamp_min(1e-12)
        self._add('ratio_to_detection', torch.stack([torch.ones_like(ratio), ratio]))

    @torch.no_grad()
    def add_value(self, name: str, value: Tensor) -> None:
        """Add a value that a loss reports for this step, a scalar such as a learned temperature."""
        value = value.detach().double().reshape(())
        self._add(name, torch.stack([torch.ones_like(value), value]))

    def _add(self, name: str, values: Tensor) -> None:
        self._sums[name] = self._sums[name] + values if name in self._sums else values

    def end_step(self) -> dict[str, Tensor]:
        """Count a step; return the statistics when they are due (the first step, then every interval), else nothing.

        Returns:
            Names without 'loss' (MMEngine would add such entries to the total), and scalars on the CPU: mean and
            standard deviation of the weights with and without an object (``fg``, ``bg``), mean entropies, loss ratio,
            and means of what losses report. What had no sites in the interval is left out. ``statistics_iter`` is the
            step of the reading: a log with lines between two readings repeats the former one and its step.
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
