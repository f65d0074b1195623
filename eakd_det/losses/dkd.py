"""Decoupled knowledge distillation of sites."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from eakd_det.arguments import NotNegative, Positive, checked
from eakd_det.errors import ConfigError
from eakd_det.functional import Temperature, dkd_divergence
from eakd_det.losses.logit import LogitLoss


class DKDLoss(LogitLoss):
    r"""Decoupled divergence, see :func:`eakd_det.functional.dkd_divergence`.

    .. math:: L = \lambda \cdot \frac{1}{R} \sum_n w_n (\alpha\, \mathrm{TCKD}_n + \beta\, \mathrm{NCKD}_n)

    With ``weighting=dict(type='eakd_det.EntropyWeighting')`` this is EA-DKD, with ``standardize=True`` DKD+LS (whose
    published form multiplies alpha and beta by its weight 9: ``loss_weight=9``). Unlike MMRazor's ``DKDLoss`` it
    takes the mean when asked for the mean, and keeps the gradient out of the teacher.

    Args:
        tau: Temperature of all distributions. Defaults to 1.0.
        alpha: Weight of the target term, at least 0. Defaults to 1.0.
        beta: Weight of the non-target term, at least 0. Defaults to 0.25, as mdistiller's detection code.
        **kwargs: ``standardize`` of :class:`LogitLoss`; ``weighting``, ``reduction``, ``loss_weight`` of
            :class:`ProposalLoss`.

    Raises:
        ConfigError: If an argument is out of range; in use, if ``gt_labels`` is missing or does not fit.

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

    def divergence_at(
        self, tau: Temperature, preds_S: Tensor, preds_T: Tensor, gt_labels: Tensor | None = None
    ) -> Tensor:
        """Compute DKD of each site, ``(N,)``."""
        if gt_labels is None:
            raise ConfigError(
                f'{type(self).__name__}: expected gt_labels, the class of each site, but got none; '
                'add gt_labels to its loss_forward_mappings'
            )
        return dkd_divergence(preds_S, preds_T, gt_labels, tau, self.alpha, self.beta)

    def why_not_sigmoid(self) -> str | None:
        """Refuse: there is no target class among independent scores."""
        return 'parts one softmax into its target and the other classes'

    def extra_repr(self) -> str:
        """Return what ``print`` shows."""
        return f'alpha={self.alpha}, beta={self.beta}, {super().extra_repr()}'
