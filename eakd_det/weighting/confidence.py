"""Confident sites first: what the literature of dense heads weighs by."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from eakd_det.arguments import checked
from eakd_det.functional import check_pair
from eakd_det.weighting.base import ProposalWeighting, mean_one


class ConfidenceWeighting(ProposalWeighting):
    r"""The highest score of an object class: the opposite choice to EA-KD's, and a control for it.

    .. math:: w_n = \max_c \sigma(z_{nc}) \quad\text{or}\quad
        w_n = \max_{c \ne \text{background}} \mathrm{softmax}(z_n)_c

    LD (CVPR 2022) weighs by the student's, KD-DETR (CVPR 2024) by the teacher's.

    Args:
        side: Whose score: 'teacher' or 'student'. Defaults to 'teacher'.
        normalize: Divide by the mean over this process's sites. Defaults to False.

    Raises:
        ConfigError: If an argument is out of range.

    Example:
        >>> import torch
        >>> ConfidenceWeighting()(torch.zeros(2, 3), torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]))
        tensor([0.3333, 0.9998])
    """

    @checked
    def __init__(self, side: Literal['teacher', 'student'] = 'teacher', normalize: bool = False) -> None:
        super().__init__()
        self.side = side
        self.normalize = normalize

    def weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the weight of each site, ``(N,)``, with background in the last column."""
        return self._finish(self._chosen(preds_S, preds_T).softmax(dim=1)[:, :-1])

    def binary_weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the weight of each site, ``(N,)``, of sigmoid scores."""
        return self._finish(self._chosen(preds_S, preds_T).sigmoid())

    def _chosen(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        student, teacher = check_pair(preds_S, preds_T, columns=1)
        return teacher if self.side == 'teacher' else student

    def _finish(self, scores: Tensor) -> Tensor:
        weights = scores.amax(dim=1)
        return mean_one(weights) if self.normalize else weights
