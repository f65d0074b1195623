"""Weights from the teacher's own loss, from easy to hard sites."""

from __future__ import annotations

from typing import Annotated, ClassVar

from torch import Tensor

from eakd_det.activation import Activation
from eakd_det.arguments import Constraint, Count, checked
from eakd_det.functional import adakd_weight
from eakd_det.weighting.base import ProposalWeighting, mean_one
from eakd_det.weighting.iterations import IterationCounter

Slope = Annotated[float, Constraint('a number from -100 to 100', lambda value: abs(value) <= 100)]


class TeacherLossWeighting(ProposalWeighting):
    r"""AdaKD's weights (Ganguly et al., Interspeech 2024), see :func:`eakd_det.functional.adakd_weight`.

    .. math:: w_n = e^{-1 / \sqrt{d_n}}, \qquad d_n = e^{-k (x_n - \bar x)}, \qquad
        k = k_{start} + s\, (k_{end} - k_{start})

    with the teacher's cross-entropy :math:`x_n`, its mean :math:`\bar x` over this process's sites, and the fraction
    :math:`s` of ``total_iters`` that is done. The published pivot is a constant, and the published range of :math:`k`
    was not found; both are this package's. The paper weighs the task's loss as well, the detection loss has no weights
    here. The loss must read ``gt_labels``, as those of logits do.

    Args:
        total_iters: Training iterations until ``end``. Each call in training mode is an iteration.
        start: Slope at first: above 0, easy sites first. Defaults to 1.0.
        end: Slope at the end. Defaults to -1.0: hard sites.
        normalize: Divide by the mean over this process's sites. Defaults to False.

    Raises:
        ConfigError: If an argument is out of range; in use, if labels are missing or invalid.

    Example:
        >>> import torch
        >>> teacher, labels = torch.tensor([[2.0, 0.0], [2.0, 0.0]]), torch.tensor([0, 1])
        >>> TeacherLossWeighting(total_iters=10)(teacher, teacher, labels)
        tensor([0.5452, 0.1923])
    """

    reads_labels: ClassVar[bool] = True

    @checked
    def __init__(self, total_iters: Count, start: Slope = 1.0, end: Slope = -1.0, normalize: bool = False) -> None:
        super().__init__()
        self.iterations = IterationCounter(total_iters)
        self.start = start
        self.end = end
        self.normalize = normalize

    def weights(self, preds_S: Tensor, preds_T: Tensor, gt_labels: Tensor) -> Tensor:
        """Compute the weight of each site, ``(N,)``, and count an iteration."""
        slope = self.start + self.iterations.progress() * (self.end - self.start)
        self.iterations.advance()
        weights = adakd_weight(preds_T, gt_labels, slope)
        return mean_one(weights) if self.normalize else weights

    def why_not(self, activation: Activation) -> str | None:
        """Refuse sigmoid scores: the label of background is no column."""
        return "reads the teacher's loss at the label, background included" if activation == 'sigmoid' else None
