"""Temperatures that are not a fixed number, for the ``tau`` of any logit loss."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from eakd_det.activation import ReadsScores
from eakd_det.arguments import Constraint, Count, Positive, checked
from eakd_det.functional import cosine_reversal, scale_gradient
from eakd_det.weighting.iterations import IterationCounter

Theta = Annotated[float, Constraint('a number from -100 to 100', lambda value: abs(value) <= 100)]


class ProposalTemperature(ReadsScores):
    """A temperature, or one for each site, from raw logits; subclasses implement :meth:`forward`."""

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Return the temperature, a scalar or ``(N,)``, from class scores ``(N, C)``."""
        raise NotImplementedError

    def why_not_sigmoid(self) -> str | None:
        """Accept: it sees each score as a softmax over two."""
        return None

    def log_values(self) -> dict[str, Tensor]:
        """Return what a log should show; scalars on the device, without gradient."""
        return {}


class LearnedTemperature(ProposalTemperature):
    r"""One temperature that is trained against the student (CTKD; Li et al., AAAI 2023).

    .. math:: T = \tau_{init} + \tau_{range}\, \sigma(\theta), \qquad
        \frac{\partial L}{\partial \theta} \leftarrow \lambda \frac{\partial L}{\partial \theta}, \qquad
        \lambda = -\tfrac{1}{2} \Bigl(1 - \cos \frac{\pi \min(i, N)}{N}\Bigr)

    at the :math:`i`-th training iteration. :math:`\theta` starts at 1, so T at 15.62. The optimizer minimises, the
    reversed gradient makes it maximise: the temperature looks for where the student is worst, more eagerly as
    :math:`\lambda` goes from 0 to -1. T acts in both softmaxes and in the factor :math:`\tau^2`, all of them in the
    graph. The published code has a step per epoch, over 10 of 240; here it is per iteration, so that resuming and
    epochs of any length make no difference. This is the method's global form; of its instance-wise form, a small
    network on both logits, the module is not in the published code.

    ``theta`` is a parameter of the loss, hence of the distiller, hence in the optimizer with learning rate and weight
    decay of everything else, as in the published code. To spare it the decay:
    ``optim_wrapper=dict(paramwise_cfg=dict(custom_keys={'tau.theta': dict(decay_mult=0.0)}))``.

    Args:
        ramp_iters: Iterations :math:`N` until the gradient is fully reversed. Defaults to 7500, which is the share of
            CTKD's CIFAR schedule (10 of 240 epochs) in 180,000 iterations.
        tau_init: Lower bound of the temperature, above 0. Defaults to 1.0.
        tau_range: Width of its range, above 0. Defaults to 20.0.
        theta: Initial value of the parameter. Defaults to 1.0.

    Raises:
        ConfigError: If an argument is out of range.

    Example:
        >>> import torch
        >>> from eakd_det.losses import KDLoss
        >>> loss = KDLoss(tau=dict(type='LearnedTemperature', ramp_iters=2))
        >>> student = torch.tensor([[1.0, 0.0, 0.0]], requires_grad=True)
        >>> loss(student, torch.tensor([[2.0, 0.0, 0.0]])).backward()
        >>> loss.tau.value()
        tensor(15.6212, grad_fn=<AddBackward0>)
    """

    @checked
    def __init__(
        self, ramp_iters: Count = 7500, tau_init: Positive = 1.0, tau_range: Positive = 20.0, theta: Theta = 1.0
    ) -> None:
        super().__init__()
        self.iterations = IterationCounter(ramp_iters)
        self.tau_init = tau_init
        self.tau_range = tau_range
        self.theta = nn.Parameter(torch.tensor(float(theta)))

    def value(self) -> Tensor:
        """Return the temperature, a scalar, with its true gradient."""
        return self.tau_init + self.tau_range * self.theta.sigmoid()

    def reversal(self) -> Tensor:
        """Return the factor of the gradient at the present iteration, from 0 to -1."""
        return cosine_reversal(self.iterations.progress())

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Count an iteration and return the temperature, a scalar, with its gradient reversed."""
        self.iterations.advance()
        return scale_gradient(self.value(), self.reversal())

    def log_values(self) -> dict[str, Tensor]:
        """Return the temperature."""
        return {'tau': self.value().detach()}

    def extra_repr(self) -> str:
        """Return what ``print`` shows."""
        return f'tau_init={self.tau_init}, tau_range={self.tau_range}'
