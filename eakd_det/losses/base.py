"""Divergence times weight, reduced: what all losses on proposals have in common."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, NamedTuple

from torch import Tensor, nn

from eakd_det.building import build_model
from eakd_det.errors import require_choice, require_not_negative

REDUCTIONS = ('mean', 'sum', 'none')


class ProposalTerms(NamedTuple):
    """What a loss is made of, before reduction.

    Attributes:
        divergence: How far the student is from the teacher, ``(N,)``, with gradient.
        weights: How much that counts, ``(N,)``, without gradient.
        extra: What does not belong to single rows, a scalar, or None.
        unit: What the ``N`` rows are: 'site', the places (proposals) at which both networks answered, in their order;
            or 'image', the images of the batch. The loss states it; lengths do not tell it.
    """

    divergence: Tensor
    weights: Tensor
    extra: Tensor | None = None
    unit: Literal['site', 'image'] = 'site'


class ProposalLoss(nn.Module):
    r"""A divergence of each proposal, times its weight, reduced over proposals.

    .. math:: L = \lambda \cdot \frac{1}{R} \sum_{n=1}^{R} w_n D_n

    Subclasses implement :meth:`divergence`. The arguments of :meth:`forward` have MMRazor's names, so a loss also
    works in MMRazor's own ``ConfigurableDistiller``.

    Attributes:
        default_mapping: Where ``ProposalDistiller`` finds each argument if ``loss_forward_mappings`` does not say it,
            in the format of such a mapping.

    Args:
        weighting: Config of the weights, or a built weighting. Defaults to ``dict(type='UniformWeighting')``.
        reduction: 'mean' over proposals (of this process, as in the published code), 'sum' (as EA-KD's Eq. 14 is
            printed), or 'none' for ``(R,)``. Defaults to 'mean'.
        loss_weight: The factor :math:`\lambda`, at least 0. Defaults to 1.0.

    Raises:
        ConfigError: If ``reduction`` is unknown or ``loss_weight`` is not a finite number of at least 0.
    """

    default_mapping: ClassVar[dict[str, dict[str, Any]]] = {
        'preds_S': dict(recorder='proposal_logits', from_student=True),
        'preds_T': dict(recorder='proposal_logits', from_student=False),
        'gt_labels': dict(recorder='proposal_labels', from_student=True),
    }

    def __init__(
        self,
        weighting: dict[str, Any] | nn.Module | None = None,
        reduction: str = 'mean',
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.weighting: nn.Module = build_model(dict(type='UniformWeighting') if weighting is None else weighting)
        self.reduction = require_choice(f'{name}.reduction', reduction, REDUCTIONS)
        self.loss_weight = require_not_negative(f'{name}.loss_weight', loss_weight)

    def divergence(self, preds_S: Tensor, preds_T: Tensor, gt_labels: Tensor | None) -> Tensor:
        """The divergence of each proposal, ``(R,)``, differentiable in ``preds_S``."""
        raise NotImplementedError

    def terms(self, preds_S: Tensor, preds_T: Tensor, gt_labels: Tensor | None = None) -> ProposalTerms:
        """Divergence and weight of each proposal, which a log or a picture may want to see.

        Args:
            preds_S: The student's class scores, ``(R, C)``.
            preds_T: The teacher's on the same proposals, ``(R, C)``.
            gt_labels: The class assigned to each proposal, ``(R,)``; only some losses need it. Defaults to None.

        Raises:
            ConfigError: If shapes, dtypes, devices or labels do not fit.
        """
        divergence = self.divergence(preds_S, preds_T, gt_labels)
        return ProposalTerms(divergence, self.weighting(preds_S, preds_T))

    def reduce(self, terms: ProposalTerms) -> Tensor:
        """The loss from its terms: a scalar, or ``(R,)`` for reduction 'none'; no proposals give a zero with graph."""
        weighted = terms.weights * terms.divergence * self.loss_weight
        if self.reduction == 'none':
            return weighted
        total = weighted.sum()
        if self.reduction == 'mean':
            total = total / max(weighted.numel(), 1)
        return total if terms.extra is None else total + self.loss_weight * terms.extra

    def log_values(self) -> dict[str, Tensor]:
        """What a log should show besides the loss, such as a learned temperature; scalars, without gradient."""
        return {}

    def forward(self, preds_S: Tensor, preds_T: Tensor, gt_labels: Tensor | None = None) -> Tensor:
        """The loss; arguments as in :meth:`terms`.

        Returns:
            A scalar, or ``(R,)`` for reduction 'none'. Without proposals a zero that is connected to ``preds_S``.
        """
        return self.reduce(self.terms(preds_S, preds_T, gt_labels))

    def extra_repr(self) -> str:
        """What ``print`` shows."""
        return f'reduction={self.reduction!r}, loss_weight={self.loss_weight}'
