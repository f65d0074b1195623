"""Jensen-Shannon divergence of sites."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from eakd_det.arguments import Fraction, Positive, checked
from eakd_det.functional import Temperature, jsd_divergence
from eakd_det.losses.logit import LogitLoss


class JSDLoss(LogitLoss):
    r"""Jensen-Shannon divergence, see :func:`eakd_det.functional.jsd_divergence`.

    .. math:: L = \lambda \cdot \frac{1}{R} \sum_n w_n \bigl(\pi\, \mathrm{KL}(p_n \,\|\, m_n)
        + (1 - \pi)\, \mathrm{KL}(q_n \,\|\, m_n)\bigr), \qquad m_n = \pi p_n + (1 - \pi) q_n

    Args:
        tau: Temperature of both softmaxes. Defaults to 1.0.
        teacher_share: The teacher's share :math:`\pi` of the mixture, between 0 and 1: 0.5 as DSKD, 0.1 as DistiLLM's
            default. Defaults to 0.5.
        **kwargs: ``standardize`` of :class:`LogitLoss`; ``weighting``, ``reduction``, ``loss_weight`` of
            :class:`ProposalLoss`.

    Raises:
        ConfigError: If an argument is out of range.

    Example:
        >>> import torch
        >>> JSDLoss()(torch.tensor([[99.0, 0.0]]), torch.tensor([[0.0, 99.0]]))
        tensor(0.6931)
    """

    @checked
    def __init__(
        self, tau: Positive | dict[str, Any] | nn.Module = 1.0, teacher_share: Fraction = 0.5, **kwargs: Any
    ) -> None:
        super().__init__(tau, **kwargs)
        self.teacher_share = teacher_share

    def divergence_at(
        self, tau: Temperature, preds_S: Tensor, preds_T: Tensor, gt_labels: Tensor | None = None
    ) -> Tensor:
        """Compute JSD of each site, ``(N,)``, without labels."""
        return jsd_divergence(preds_S, preds_T, tau, self.teacher_share)

    def extra_repr(self) -> str:
        """Return what ``print`` shows."""
        return f'teacher_share={self.teacher_share}, {super().extra_repr()}'
