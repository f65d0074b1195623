"""Decoupled knowledge distillation of sites."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from eakd_det.activation import Activation
from eakd_det.arguments import NotNegative, Positive, checked
from eakd_det.functional import Temperature, dkd_divergence
from eakd_det.losses.logit import LogitLoss


class DKDLoss(LogitLoss):
    r"""Decoupled divergence, see :func:`eakd_det.functional.dkd_divergence`.

    .. math:: L = \lambda \cdot \frac{1}{R} \sum_n w_n (\alpha\, \mathrm{TCKD}_n + \beta\, \mathrm{NCKD}_n)

    With ``weighting=dict(type='eakd_det.EntropyWeighting')`` this is EA-DKD, with ``standardize=True`` DKD+LS (whose
    published form multiplies alpha and beta by its weight 9: ``loss_weight=9``). Unlike MMRazor's ``DKDLoss``, 'mean'
    is a mean, and the teacher gets no gradient.

    Args:
        tau: Temperature of all distributions.
        alpha: Weight of the target term.
        beta: Weight of the non-target term; the default is that of mdistiller's detection code.
        **kwargs: As in :class:`LogitLoss`.

    Raises:
        ConfigError: If an argument is out of range; in use, if ``gt_labels`` is missing or invalid.

    Example:
        >>> import torch
        >>> loss = DKDLoss()
        >>> loss(torch.tensor([[1.0, 0.0, 0.5]]), torch.tensor([[2.0, 0.5, 0.0]]), torch.tensor([0]))
        tensor(0.1407)
    """

    @checked
    def __init__(
        self,
        tau: Positive | dict[str, Any] | nn.Module = 1.0,
        alpha: NotNegative = 1.0,
        beta: NotNegative = 0.25,
        **kwargs: Any,
    ) -> None:
        super().__init__(tau, **kwargs)
        self.alpha = alpha
        self.beta = beta

    def divergence_at(self, tau: Temperature, preds_S: Tensor, preds_T: Tensor, gt_labels: Tensor) -> Tensor:
        """Compute DKD of each site, ``(N,)``."""
        return dkd_divergence(preds_S, preds_T, gt_labels, tau, self.alpha, self.beta)

    def why_not(self, activation: Activation) -> str | None:
        """Refuse sigmoids: there is no target class among independent scores."""
        return 'parts one softmax into its target and the other classes' if activation == 'sigmoid' else None
