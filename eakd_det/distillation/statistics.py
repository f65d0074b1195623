"""Statistics of the weights during training, summed on the device and read once per logging interval."""

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

    The sums stay on the device and are read once per interval, so that logging costs one synchronisation per interval.

    Args:
        interval: Number of steps between two readings.
        entropy_tau: Temperature of the logged entropies; EA-KD's T' by default. It does not depend on the loss, so that
            the logs of different arms can be compared.
    """

    def __init__(self, interval: int = 50, entropy_tau: float = 3.0) -> None:
        self.interval = interval
        self.entropy_tau = entropy_tau
        self._steps = 0
        self._sums: dict[str, Tensor] = {}

    def state_dict(self) -> dict[str, Any]:
        """Return the current sums, to resume a run."""
        return {'steps': self._steps, 'sums': {name: values.cpu() for name, values in self._sums.items()}}

    def load_state_dict(self, state: Mapping[str, Any], device: torch.device | str = 'cpu') -> None:
        """Restore the sums of :meth:`state_dict` on the device of the model."""
        self._steps = state['steps']
        self._sums = {name: values.to(device) for name, values in state['sums'].items()}

    @torch.no_grad()
    def add_weights(self, prefix: str, terms: Terms, is_object: Tensor) -> None:
        """Add the weights of one loss; those of sites are kept apart by ``is_object``, ``(N,)``.

        ``prefix`` is that of the loss's statistics, see :func:`log_names`. Weights of sites that are not ``N`` are a
        :class:`ConfigError`.
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
        """Add the entropies of both networks, in nats, from logits ``(N, C)``."""
        for side, logits in (('student', student_logits), ('teacher', teacher_logits)):
            values = scores.entropy(logits.detach(), self.entropy_tau).double()
            self._add(f'entropy_{side}', torch.stack([values.new_tensor(len(values)), values.sum()]))

    @torch.no_grad()
    def add_value(self, name: str, value: Tensor) -> None:
        """Add a scalar of this step, such as a learned temperature."""
        value = value.detach().double().reshape(())
        self._add(name, torch.stack([torch.ones_like(value), value]))

    def _add(self, name: str, values: Tensor) -> None:
        self._sums[name] = self._sums[name] + values if name in self._sums else values

    def end_step(self) -> dict[str, Tensor]:
        """Count a step, and return the statistics if they are due (first step, then every interval).

        Returns:
            Scalars on the CPU by names without 'loss' (which MMEngine would add to the total): mean and standard
            deviation of the weights with and without an object (``fg``, ``bg``), mean entropies, loss ratio, and means
            of the losses' own values. Statistics without sites in the interval are omitted. ``statistics_iter`` is the
            step of the reading, by which a repeated reading can be recognised.
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
    """Return the prefix of each loss's statistics, its name without 'loss'; equal ones are a :class:`ConfigError`.

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
                "model.distiller.distill_losses: expected names that differ without 'loss', under which statistics are "
                f'logged, but got {" and ".join(twins)}'
            )
    return found
