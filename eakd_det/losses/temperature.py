"""Temperatures that change during training or from site to site, for the ``tau`` of any logit loss."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from eakd_det.activation import Activation, ReadsScores
from eakd_det.arguments import Constraint, Count, Positive, checked, shown_arguments
from eakd_det.errors import ConfigError
from eakd_det.functional import cosine_reversal, entropy_temperature, scale_gradient
from eakd_det.weighting.iterations import IterationCounter

Theta = Annotated[float, Constraint('a number from -100 to 100', lambda value: abs(value) <= 100)]


class ProposalTemperature(ReadsScores):
    """A temperature, or one for each site, from raw logits; subclasses implement :meth:`forward`."""

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Return the temperature, a scalar or ``(N,)``, from class scores ``(N, C)``."""
        raise NotImplementedError

    def why_not(self, activation: Activation) -> str | None:
        """Accept: it sees each score as a softmax over two."""
        return None

    def log_values(self) -> dict[str, Tensor]:
        """Return scalars without gradient to log, on the device."""
        return {}

    def extra_repr(self) -> str:
        """Return what ``print`` shows."""
        return shown_arguments(self)


class AdversarialTemperature(ProposalTemperature):
    r"""A learned temperature whose gradient is reversed, the more so the longer the training runs (CTKD).

    .. math:: T = \tau_{init} + \tau_{range}\, \sigma(x), \qquad
        \frac{\partial L}{\partial x} \leftarrow \lambda \frac{\partial L}{\partial x}, \qquad
        \lambda = -\tfrac{1}{2} \Bigl(1 - \cos \frac{\pi \min(i, N)}{N}\Bigr)

    at the :math:`i`-th training iteration. Subclasses learn :math:`x`.

    Args:
        ramp_iters: Iterations :math:`N` until the gradient is fully reversed. The default is CTKD's fraction of the
            schedule (10 of 240 epochs) of 180,000 iterations.
        tau_init: Lower bound of the temperature.
        tau_range: Width of its range.

    Raises:
        ConfigError: If an argument is out of range.
    """

    @checked
    def __init__(self, ramp_iters: Count = 7500, tau_init: Positive = 1.0, tau_range: Positive = 20.0) -> None:
        super().__init__()
        self.iterations = IterationCounter(ramp_iters)
        self.tau_init = tau_init
        self.tau_range = tau_range

    def bounded(self, x: Tensor) -> Tensor:
        """Return the temperature, of the shape of ``x``, with its true gradient."""
        return self.tau_init + self.tau_range * x.sigmoid()

    def reversal(self) -> Tensor:
        """Return the factor of the gradient at the current iteration, from 0 to -1."""
        return cosine_reversal(self.iterations.progress())

    def reverse(self, temperature: Tensor) -> Tensor:
        """Count an iteration and return ``temperature`` with its gradient reversed."""
        self.iterations.advance()
        return scale_gradient(temperature, self.reversal())


class LearnedTemperature(AdversarialTemperature):
    r"""A temperature that is trained against the student (CTKD; Li et al., AAAI 2023).

    .. math:: T = \tau_{init} + \tau_{range}\, \sigma(\theta)

    with its gradient reversed as in :class:`AdversarialTemperature`. :math:`\theta` starts at 1, hence T at 15.62. The
    reversed gradient makes the optimizer maximise the loss in T: the temperature moves to where the student is worst,
    the more so as :math:`\lambda` goes from 0 to -1. Gradients reach T through both softmaxes and the factor
    :math:`\tau^2`. The published code steps :math:`\lambda` once per epoch, over 10 of 240; here it changes at each
    iteration, so that resuming and the length of an epoch make no difference. This is the method's global form; its
    instance-wise form is :class:`eakd_det.losses.InstanceTemperature`.

    ``theta`` is a parameter of the loss and so trained by the optimizer with the learning rate and weight decay of all
    others, as in the published code. To exempt it from the decay:
    ``optim_wrapper=dict(paramwise_cfg=dict(custom_keys={'tau.theta': dict(decay_mult=0.0)}))``.

    Args:
        ramp_iters: Iterations :math:`N` until the gradient is fully reversed. The default is CTKD's fraction of the
            schedule (10 of 240 epochs) of 180,000 iterations.
        tau_init: Lower bound of the temperature.
        tau_range: Width of its range.
        theta: Initial value of the parameter.

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
        super().__init__(ramp_iters, tau_init, tau_range)
        self.theta = nn.Parameter(torch.tensor(float(theta)))

    def value(self) -> Tensor:
        """Return the temperature, a scalar, with its true gradient."""
        return self.bounded(self.theta)

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Count an iteration and return the temperature, a scalar, with its gradient reversed."""
        return self.reverse(self.value())

    def log_values(self) -> dict[str, Tensor]:
        """Return the temperature."""
        return {'tau': self.value().detach()}


class EntropyTemperature(ProposalTemperature):
    r"""Give uncertain sites higher temperatures, see :func:`eakd_det.functional.entropy_temperature`.

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
