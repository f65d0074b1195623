"""Weights of the EGAD-inspired method: a curriculum, and a choice of hard sites."""

from __future__ import annotations

from torch import Tensor

from eakd_det.arguments import Count, Positive, UnitInterval, checked
from eakd_det.functional import curriculum_weight, hard_rows
from eakd_det.weighting.base import ProposalWeighting, mean_one
from eakd_det.weighting.iterations import IterationCounter


class CurriculumWeighting(ProposalWeighting):
    r"""First the sites the teacher is sure of, then the others, see
    :func:`eakd_det.functional.curriculum_weight`.

    .. math:: w_n = (1 - s)(1 - h_n) + s\, h_n

    with the teacher's normalised entropy :math:`h_n` and the share :math:`s` of ``total_iters`` that is done. Inspired
    by EGAD, which publishes no equations: the form is this package's.

    Args:
        total_iters: Training iterations after which the order is turned round completely. One call in training mode is
            one iteration.
        tau: Temperature of the entropy. Defaults to 1.0.
        normalize: Divide by the mean over this process's sites, so that the loss does not drift. Defaults to False.

    Raises:
        ConfigError: If ``total_iters`` is not an integer above 0, or ``tau`` not above 0.

    Example:
        >>> import torch
        >>> weighting = CurriculumWeighting(total_iters=1)
        >>> unsure_then_sure = torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]])
        >>> weighting(unsure_then_sure, unsure_then_sure)
        tensor([0.0000, 0.9978])
        >>> weighting(unsure_then_sure, unsure_then_sure)
        tensor([1.0000, 0.0022])
    """

    @checked
    def __init__(self, total_iters: Count, tau: Positive = 1.0, normalize: bool = False) -> None:
        super().__init__()
        self.iterations = IterationCounter(total_iters)
        self.tau = tau
        self.normalize = normalize

    def weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the weight of each site, ``(N,)``, and count an iteration."""
        weights = curriculum_weight(preds_T, self.iterations.progress(), self.tau)
        self.iterations.advance()
        return mean_one(weights) if self.normalize else weights

    def extra_repr(self) -> str:
        """Return what ``print`` shows."""
        return f'tau={self.tau}, normalize={self.normalize}'


class HardProposalWeighting(ProposalWeighting):
    r"""Only sites on which the teacher is unsure count, see :func:`eakd_det.functional.hard_rows`.

    .. math:: w_n = \frac{R}{|\mathcal{H}|} \text{ for } n \in \mathcal{H}, \text{ else } 0, \qquad
        \mathcal{H} = \{n : h_n > \theta\}

    so that a loss that takes the mean over sites becomes a mean over the hard ones; without any it is 0. Meant for
    the branch on embeddings of the EGAD-inspired method; the choice of hard sites is this package's.

    Args:
        threshold: Normalised entropy :math:`\theta` above which a site is hard, from 0 to 1. Defaults to 0.5.
        quantile: Take the threshold from the batch instead: the quantile of its normalised entropies, from 0 to 1.
            Defaults to None.
        tau: Temperature of the entropy. Defaults to 1.0.

    Raises:
        ConfigError: If an argument is out of range.

    Example:
        >>> import torch
        >>> unsure_then_sure = torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]])
        >>> HardProposalWeighting()(unsure_then_sure, unsure_then_sure)
        tensor([2., 0.])
    """

    @checked
    def __init__(
        self, threshold: UnitInterval = 0.5, quantile: UnitInterval | None = None, tau: Positive = 1.0
    ) -> None:
        super().__init__()
        self.threshold = threshold
        self.quantile = quantile
        self.tau = tau

    def weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the weight of each site, ``(N,)``."""
        return mean_one(hard_rows(preds_T, self.threshold, self.quantile, self.tau))

    def extra_repr(self) -> str:
        """Return what ``print`` shows."""
        chosen = f'threshold={self.threshold}' if self.quantile is None else f'quantile={self.quantile}'
        return f'{chosen}, tau={self.tau}'
