"""Classic knowledge distillation of proposals."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from eakd_det.errors import require_positive
from eakd_det.functional import kd_divergence
from eakd_det.losses.base import ProposalLoss
from eakd_det.registry import MODELS


@MODELS.register_module()
class KDLoss(ProposalLoss):
    r"""Softened Kullback-Leibler divergence, see :func:`eakd_det.functional.kd_divergence`.

    .. math:: L = \lambda \cdot \frac{1}{R} \sum_n w_n\, \tau^2\,
        \mathrm{KL}\bigl(\mathrm{softmax}(z^T_n / \tau) \,\|\, \mathrm{softmax}(z^S_n / \tau)\bigr)

    With ``weighting=dict(type='eakd_det.EntropyWeighting')`` this is EA-KD.

    Args:
        tau: Temperature of both softmaxes. Defaults to 1.0, which all released detection code uses.
        **kwargs: ``weighting``, ``reduction``, ``loss_weight`` of :class:`ProposalLoss`.

    Raises:
        ConfigError: If an argument is out of range.

    Example:
        >>> import torch
        >>> loss = KDLoss(weighting=dict(type='EntropyWeighting', tau=3.0))
        >>> loss(torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[2.0, 0.0, 0.0]]))
        tensor(0.1026)
    """

    def __init__(self, tau: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tau = require_positive(f'{type(self).__name__}.tau', tau)

    def divergence(self, preds_S: Tensor, preds_T: Tensor, gt_labels: Tensor | None) -> Tensor:
        """KD of each proposal, ``(R,)``; needs no labels."""
        return kd_divergence(preds_S, preds_T, self.tau)

    def extra_repr(self) -> str:
        """What ``print`` shows."""
        return f'tau={self.tau}, {super().extra_repr()}'
