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

    LD (CVPR 2022) weighs by the student's, KD-DETR (CVPR 2024) by the teacher's. With ``score='object'`` it is the
    probability of any object,

    .. math:: w_n = 1 - \mathrm{softmax}(z_n)_{\text{background}} \quad\text{or}\quad
        w_n = 1 - \prod_c \bigl(1 - \sigma(z_{nc})\bigr)

    Args:
        side: Whose score: 'teacher' or 'student'. Defaults to 'teacher'.
        normalize: Divide by the mean over this process's sites. Defaults to False.
        score: 'highest' of the object classes, or of any 'object'. Defaults to 'highest'.

    Raises:
        ConfigError: If an argument is out of range.

    Example:
        >>> import torch
        >>> ConfidenceWeighting()(torch.zeros(2, 3), torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]]))
        tensor([0.3333, 0.9998])
        >>> ConfidenceWeighting(score='object')(torch.zeros(1, 3), torch.zeros(1, 3))
        tensor([0.6667])
    """

    @checked
    def __init__(
        self,
        side: Literal['teacher', 'student'] = 'teacher',
        normalize: bool = False,
        score: Literal['highest', 'object'] = 'highest',
    ) -> None:
        super().__init__(normalize)
        self.side = side
        self.score = score

    def compared(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the scores of one side, ``(N, K)``, or the probability of any object, ``(N, 1)``."""
        scores = teacher if self.side == 'teacher' else student
        if self.score == 'highest':
            return scores
        if self.activation == 'sigmoid':
            return 1 - (1 - scores).prod(dim=1, keepdim=True)
        return scores.sum(dim=1, keepdim=True)
