"""Weights of the EGAD-inspired method: a curriculum, and a selection of hard sites."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from eakd_det.arguments import Count, Positive, UnitInterval, checked
from eakd_det.functional import Uncertainty, curriculum_weight, hard_rows
from eakd_det.weighting.base import ProposalWeighting, mean_one
from eakd_det.weighting.iterations import IterationCounter


class CurriculumWeighting(ProposalWeighting):
    r"""Sites on which the teacher is certain first, the others later, see
    :func:`eakd_det.functional.curriculum_weight`.

    .. math:: w_n = (1 - s)(1 - h_n) + s\, h_n

    with the teacher's normalised entropy :math:`h_n` and the fraction :math:`s` of ``total_iters`` that is done.
    Inspired by EGAD, which publishes no equations: the form is this package's.

    Args:
        total_iters: Training iterations until the order is reversed. Each call in training mode is an iteration.
        tau: Temperature of the entropy.
        normalize: Divide by the mean over this process's sites, so that the loss does not drift.

    Example:
        >>> import torch
        >>> weighting = CurriculumWeighting(total_iters=1)
        >>> uncertain_then_certain = torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]])
        >>> weighting(uncertain_then_certain, uncertain_then_certain)
        tensor([0.0000, 0.9978])
        >>> weighting(uncertain_then_certain, uncertain_then_certain)
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


class HardProposalWeighting(ProposalWeighting):
    r"""Only sites on which one network is uncertain, see :func:`eakd_det.functional.hard_rows`.

    .. math:: w_n = \frac{R}{|\mathcal{H}|} \text{ for } n \in \mathcal{H}, \text{ else } 0, \qquad
        \mathcal{H} = \{n : h_n > \theta\}

    so that a mean over sites becomes a mean over the hard ones, or 0 if there are none. With the student's uncertainty
    and a quantile it is the data selection of DynamicKD (Li et al., EMNLP 2021), among the sites of a batch instead of
    its sentences: ``HardProposalWeighting(side='student', quantile=0.9)`` keeps the tenth with the highest entropies.
    With the teacher's it is meant for the embedding branch of the EGAD-inspired method, and this package's.

    Args:
        threshold: Uncertainty :math:`\theta` above which a site is hard.
        quantile: Take the threshold from the batch instead, as this quantile of its uncertainties.
        tau: Temperature of the softmax.
        side: Whose uncertainty: 'teacher' or 'student'. Defaults to 'teacher'.
        measure: 'entropy' (normalised), 'confidence' or 'margin', see :func:`eakd_det.functional.uncertainty`.
            Defaults to 'entropy'.

    Example:
        >>> import torch
        >>> uncertain_then_certain = torch.tensor([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]])
        >>> HardProposalWeighting()(uncertain_then_certain, uncertain_then_certain)
        tensor([2., 0.])
    """

    @checked
    def __init__(
        self,
        threshold: UnitInterval = 0.5,
        quantile: UnitInterval | None = None,
        tau: Positive = 1.0,
        side: Literal['teacher', 'student'] = 'teacher',
        measure: Uncertainty = 'entropy',
    ) -> None:
        super().__init__()
        self.threshold = threshold
        self.quantile = quantile
        self.tau = tau
        self.side = side
        self.measure: Uncertainty = measure

    def weights(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:
        """Compute the weight of each site, ``(N,)``."""
        logits = preds_T if self.side == 'teacher' else preds_S
        return mean_one(hard_rows(logits, self.threshold, self.quantile, self.tau, self.measure))
