"""Distillation of predicted boxes."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from torch import Tensor

from eakd_det.activation import Activation
from eakd_det.arguments import checked
from eakd_det.functional import giou_divergence, l1_divergence
from eakd_det.losses import records
from eakd_det.losses.site_loss import CHOOSES_BY, SiteLoss
from eakd_det.weighting import site_weights

_DISTANCES = dict(giou=giou_divergence, l1=l1_divergence)


class BoxLoss(SiteLoss):
    r"""Distance of the student's box from the teacher's at the same site (BCKD; Yang et al., ICCV 2023).

    .. math:: L = \lambda \cdot \operatorname{reduce}_n\; w_n\, D(b^S_n, b^T_n)

    with :math:`D` from :func:`eakd_det.functional.giou_divergence` or :func:`eakd_det.functional.l1_divergence`. Boxes
    are measured from the centre of the site's own box (a proposal, an anchor, or the square of a point), in units of
    its width and height, on both sides. GIoU does not depend on units.

    The weighting sees the class scores; where it has a weight for each score, as EA has of sigmoid scores, a site gets
    the mean over its classes. The published loss is ``BoxLoss(loss_weight=4.0, reduction='objects',
    weighting=dict(type='DifferenceWeighting'))``; its code leaves out levels without an object.

    Args:
        distance: 'giou', as published, or 'l1'. Defaults to 'giou'.
        **kwargs: ``sites``, ``weighting``, ``reduction``, ``loss_weight`` of :class:`SiteLoss`.

    Raises:
        ConfigError: If an argument is out of range.

    Example:
        >>> import torch
        >>> logits, box = torch.zeros(1, 3), torch.tensor([[0.0, 0.0, 2.0, 1.0]])
        >>> BoxLoss()(logits, logits, box, box + torch.tensor([1.0, 0.0, 1.0, 0.0]))
        tensor(0.6667)
    """

    reads: ClassVar[dict[str, str]] = {
        **records.pairs(preds=records.LOGITS, corners=records.CORNERS),
        **CHOOSES_BY,
    }

    @checked
    def __init__(self, distance: Literal['giou', 'l1'] = 'giou', **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.distance = distance

    def divergence(self, corners_S: Tensor, corners_T: Tensor) -> Tensor:
        """Compute the distance at each site, ``(N,)``, from boxes ``(N, 4)``."""
        return _DISTANCES[self.distance](corners_S, corners_T)

    def site_weights(self, given: dict[str, Any]) -> Tensor:
        """Return the weight of each site, ``(N,)``."""
        return site_weights(super().site_weights(given))

    def why_not(self, activation: Activation) -> str | None:
        """Accept: class scores are only weighed."""
        return None
