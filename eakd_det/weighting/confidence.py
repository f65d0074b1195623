"""Confident sites first: what the literature of dense heads weighs by."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from eakd_det.arguments import checked
from eakd_det.weighting.base import ObjectScoreWeighting


class ConfidenceWeighting(ObjectScoreWeighting):
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
        super().__init__(normalize)
        self.side = side

    def compared(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the scores of one side, ``(N, K)``."""
        return teacher if self.side == 'teacher' else student
