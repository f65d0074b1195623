"""CTKD's temperature for each site."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from eakd_det.arguments import Count, Positive, checked
from eakd_det.errors import ConfigError
from eakd_det.functional import check_pair
from eakd_det.losses.temperature import AdversarialTemperature


class InstanceTemperature(AdversarialTemperature):
    r"""A temperature for each site from a network that is trained against the student (CTKD; Li et al., AAAI 2023).

    .. math:: T_n = \tau_{init} + \tau_{range}\, \sigma\bigl(\mathrm{MLP}(z^S_n, z^T_n)\bigr)

    with the gradient of :math:`T_n` reversed as in :class:`eakd_det.losses.LearnedTemperature`. The paper describes a
    network of two layers on the predictions of both; its code is not in the repository. The width of the network, and
    that no gradient reaches the student through its input, are choices of this package.

    Args:
        num_columns: Number of columns of the class scores, background included; 2 for sigmoid scores. Defaults to 81.
        hidden_channels: Width of the hidden layer. Defaults to 128.
        ramp_iters: Iterations until the gradient is fully reversed, as in its global form. Defaults to 7500.
        tau_init: Lower bound of the temperatures. Defaults to 1.0.
        tau_range: Width of their range. Defaults to 20.0.

    Raises:
        ConfigError: If an argument is out of range; in use, if the scores have another number of columns.

    Example:
        >>> temperature = InstanceTemperature(num_columns=3)
        >>> temperature(torch.zeros(4, 3), torch.randn(4, 3)).shape
        torch.Size([4])
    """

    mean: Tensor

    @checked
    def __init__(
        self,
        num_columns: Count = 81,
        hidden_channels: Count = 128,
        ramp_iters: Count = 7500,
        tau_init: Positive = 1.0,
        tau_range: Positive = 20.0,
    ) -> None:
        super().__init__(ramp_iters, tau_init, tau_range)
        self.num_columns = num_columns
        self.theta = nn.Sequential(
            nn.Linear(2 * num_columns, hidden_channels), nn.ReLU(), nn.Linear(hidden_channels, 1)
        )
        self.register_buffer('mean', torch.tensor(0.0), persistent=False)

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Count an iteration and return the temperatures, ``(N,)``, with their gradient reversed."""
        student, teacher = check_pair(preds_S.detach(), preds_T)
        if student.shape[1] != self.num_columns:
            raise ConfigError(
                f'{type(self).__name__}.num_columns: expected the columns of the class scores, {student.shape[1]}, '
                f'but got {self.num_columns}'
            )
        inputs = torch.cat([student, teacher], dim=1).to(next(self.theta.parameters()).dtype)
        with torch.autocast(inputs.device.type, enabled=False):
            temperatures = self.bounded(self.theta(inputs).squeeze(1))
        self.mean = temperatures.detach().sum() / max(len(temperatures), 1)
        return self.reverse(temperatures)

    def log_values(self) -> dict[str, Tensor]:
        """Return the mean temperature of the last step."""
        return {'tau': self.mean}
