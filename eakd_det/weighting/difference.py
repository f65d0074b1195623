"""Sites first where student and teacher disagree most."""

from __future__ import annotations

from torch import Tensor

from eakd_det.arguments import checked
from eakd_det.functional import check_pair
from eakd_det.weighting.base import ProposalWeighting, mean_one


class DifferenceWeighting(ProposalWeighting):
    r"""The largest difference of the two networks' scores of an object class, BCKD's weight of boxes.

    .. math:: w_n = \max_c \bigl| \sigma(z^T_{nc}) - \sigma(z^S_{nc}) \bigr| \quad\text{or}\quad
        w_n = \max_{c \ne \text{background}} \bigl| \mathrm{softmax}(z^T_n)_c - \mathrm{softmax}(z^S_n)_c \bigr|

    The form for sigmoids is that of the code of BCKD (Yang et al., ICCV 2023), the other is this package's.

    Args:
        normalize: Divide by the mean over this process's sites. Defaults to False.

    Raises:
        ConfigError: If an argument is out of range.

    Example:
        >>> import torch
        >>> DifferenceWeighting()(torch.zeros(2, 3), torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]))
        tensor([0.0000, 0.6664])
    """

    @checked
    def __init__(self, normalize: bool = False) -> None:
        super().__init__()
        self.normalize = normalize

    def weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the weight of each site, ``(N,)``, with background in the last column."""
        student, teacher = (side.softmax(dim=1)[:, :-1] for side in check_pair(preds_S, preds_T))
        return self._finish(teacher - student)

    def binary_weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the weight of each site, ``(N,)``, of sigmoid scores."""
        student, teacher = (side.sigmoid() for side in check_pair(preds_S, preds_T, columns=1))
        return self._finish(teacher - student)

    def _finish(self, differences: Tensor) -> Tensor:
        weights = differences.abs().amax(dim=1)
        return mean_one(weights) if self.normalize else weights
