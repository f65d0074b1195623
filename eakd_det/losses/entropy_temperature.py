"""A temperature for each site, from the teacher's entropy."""

from __future__ import annotations

from torch import Tensor

from eakd_det.arguments import Positive, checked
from eakd_det.errors import ConfigError
from eakd_det.functional import entropy_temperature
from eakd_det.losses.temperature import ProposalTemperature


class EntropyTemperature(ProposalTemperature):
    r"""Give uncertain sites higher temperatures, see :func:`eakd_det.functional.entropy_temperature`.

    .. math:: \tau_n = \tau_{min} + (\tau_{max} - \tau_{min})\, h_n

    Inspired by EGAD, which publishes no equations: the form is this package's. The logit branch of that method is
    ``dict(type='eakd_det.KDLoss', tau=dict(type='eakd_det.EntropyTemperature'),
    weighting=dict(type='eakd_det.CurriculumWeighting', total_iters=...))``, its embedding branch
    ``dict(type='eakd_det.EmbeddingLoss', weighting=dict(type='eakd_det.HardProposalWeighting'))``.

    Args:
        tau_min: Lowest temperature.
        tau_max: Highest temperature, at least ``tau_min``.
        increasing: Whether uncertain sites get the higher temperatures; False gives them the lower ones.
        entropy_tau: Temperature of the entropy.

    Raises:
        ConfigError: If an argument is out of range.

    Example:
        >>> import torch
        >>> uncertain_then_certain = torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]])
        >>> EntropyTemperature()(uncertain_then_certain, uncertain_then_certain)
        tensor([4.0000, 1.0067])
    """

    @checked
    def __init__(
        self, tau_min: Positive = 1.0, tau_max: Positive = 4.0, increasing: bool = True, entropy_tau: Positive = 1.0
    ) -> None:
        super().__init__()
        if tau_max < tau_min:
            raise ConfigError(f'{type(self).__name__}.tau_max: expected at least tau_min, {tau_min}, but got {tau_max}')
        self.tau_min = tau_min
        self.tau_max = tau_max
        self.increasing = increasing
        self.entropy_tau = entropy_tau

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the temperature of each site, ``(N,)``, without gradient."""
        return entropy_temperature(preds_T, self.tau_min, self.tau_max, self.increasing, self.entropy_tau)
