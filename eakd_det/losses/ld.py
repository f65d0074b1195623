"""Localization distillation: the distribution that a head predicts for each side of a box."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from torch import Tensor

from eakd_det.activation import Activation, ReadsScores
from eakd_det.arguments import Positive, checked
from eakd_det.errors import ConfigError
from eakd_det.functional import kd_divergence
from eakd_det.losses import records
from eakd_det.losses.site_loss import CHOOSES_BY, SiteChoice, SiteLoss
from eakd_det.weighting import UniformWeighting, site_weights


class LDLoss(SiteLoss):
    r"""Divergence of the distributions of box sides (LD; Zheng et al., CVPR 2022), for GFL and its kin.

    Such a head predicts the distance from a site to each side of its box as a softmax over ``bins`` distances:

    .. math:: L = \lambda \cdot \sum_n \frac{1}{4} \sum_{s=1}^{4} w_{ns}\, \tau^2\,
        \mathrm{KL}\bigl(\mathrm{softmax}(b^T_{ns} / \tau) \,\|\, \mathrm{softmax}(b^S_{ns} / \tau)\bigr)

    divided as ``reduction`` says. With ``weighting=dict(type='EntropyWeighting')`` each side has EA-KD's weight in the
    paper's own form, :math:`H_{ub} = \log(\mathrm{bins})`: a side that the teacher finds hard to place counts more.

    The published code takes the mean over the bins and the sum over the sites. It has two such losses, for 17 bins:
    ``LDLoss(loss_weight=0.25 / 17, reduction='sum', weigh_by='classes', weighting=dict(type='ConfidenceWeighting',
    side='student'))`` at the sites with an object, weighted by the student's score, and ``LDLoss(loss_weight=0.25 / 68,
    reduction='sum', sites='valuable', weigh_by='overlap')`` around them.

    Args:
        tau: Temperature of the divergence. Defaults to 10.0, as published.
        weigh_by: Which logits the weighting sees: 'bins', a weight for each side, or 'classes', one for each site. With
            'overlap' it sees none: a site of ``sites='valuable'`` weighs its IoU with the object. Defaults to 'bins'.
        sites: See :class:`SiteLoss`. Defaults to 'objects'.
        **kwargs: ``weighting``, ``reduction``, ``loss_weight`` of :class:`SiteLoss`.

    Raises:
        ConfigError: If an argument is out of range; in use, if the boxes are no distributions.

    Example:
        >>> import torch
        >>> logits, objects = torch.zeros(2, 3), torch.tensor([True, False])
        >>> student, teacher = torch.zeros(2, 4, 17), torch.zeros(2, 4, 17)
        >>> teacher[:, :, 0] = 3.0
        >>> LDLoss(tau=1.0)(logits, logits, student, teacher, objects=objects)
        tensor(0.9171)
    """

    reads: ClassVar[dict[str, str]] = {
        **records.pairs(preds=records.LOGITS, boxes=records.BOXES),
        **CHOOSES_BY,
    }

    @checked
    def __init__(
        self,
        tau: Positive = 10.0,
        weigh_by: Literal['bins', 'classes', 'overlap'] = 'bins',
        sites: SiteChoice = 'objects',
        **kwargs: Any,
    ) -> None:
        super().__init__(sites, **kwargs)
        self.tau = tau
        self.weigh_by = weigh_by
        if weigh_by == 'overlap' and self.sites != 'valuable':
            raise ConfigError(
                f"LDLoss.sites: expected 'valuable', because weigh_by is 'overlap', but got {self.sites!r}"
            )
        if weigh_by == 'overlap' and not isinstance(self.weighting, UniformWeighting):
            raise ConfigError(
                "LDLoss.weighting: expected None, because weigh_by='overlap' is the weight, "
                f'but got {type(self.weighting).__name__}'
            )

    def divergence(self, boxes_S: Tensor, boxes_T: Tensor) -> Tensor:
        """Compute a quarter of the divergence of each side, ``(N, 4)``, from logits ``(N, 4, bins)``.

        Raises:
            ConfigError: If they are none.
        """
        for name, boxes in (('boxes_S', boxes_S), ('boxes_T', boxes_T)):
            if boxes.dim() != 3:
                raise ConfigError(
                    f'{type(self).__name__}.{name}: expected distributions of box sides, (N, 4, bins), as GFL predicts '
                    f'them, but got shape {tuple(boxes.shape)}'
                )
        return kd_divergence(boxes_S.flatten(0, 1), boxes_T.flatten(0, 1), self.tau).unflatten(0, boxes_S.shape[:2]) / 4

    def site_weights(self, given: dict[str, Any]) -> Tensor:
        """Weight each side by its bins, ``(N, 4)``, or each site by its class scores or overlap, ``(N,)``."""
        if self.weigh_by == 'overlap':
            return given['valuable'].detach()
        student, teacher = given['boxes_S'], given['boxes_T']
        if self.weigh_by == 'classes' or student.dim() != 3:
            return site_weights(super().site_weights(given))
        return self.weighting(student.flatten(0, 1), teacher.flatten(0, 1)).unflatten(0, student.shape[:2])

    def why_not(self, activation: Activation) -> str | None:
        """Accept: the bins are a softmax whatever the class scores are."""
        return None

    def score_readers(self) -> dict[str, ReadsScores]:
        """Leave the weighting to its bins."""
        return super().score_readers() if self.weigh_by == 'classes' else {}
