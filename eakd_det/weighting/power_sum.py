"""The weights of WTTM."""

from __future__ import annotations

from torch import Tensor

from eakd_det.arguments import Positive, checked
from eakd_det.functional import power_sum
from eakd_det.weighting.base import ProposalWeighting, mean_one


class PowerSumWeighting(ProposalWeighting):
    r"""The teacher's power sum, see :func:`eakd_det.functional.power_sum`.

    With :class:`eakd_det.losses.TTMLoss` of the same ``tau`` this is WTTM.

    Args:
        tau: Temperature of the teacher, the paper's :math:`1/\gamma`.
        normalize: Divide by the mean over this process's sites.

    Example:
        >>> import torch
        >>> PowerSumWeighting(tau=2.0)(torch.zeros(1, 4), torch.zeros(1, 4))
        tensor([2.])
    """

    @checked
    def __init__(self, tau: Positive = 2.0, normalize: bool = False) -> None:
        super().__init__()
        self.tau = tau
        self.normalize = normalize

    def weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the weight of each site, ``(N,)``, from the teacher alone."""
        weights = power_sum(preds_T, self.tau)
        return mean_one(weights) if self.normalize else weights
