"""Class attention transfer among the sites of an image."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from eakd_det.activation import Activation
from eakd_det.functional import cat_divergence
from eakd_det.losses import records
from eakd_det.losses.base import ProposalLoss
from eakd_det.weighting import image_index


class CATKDLoss(ProposalLoss):
    r"""Maps of the classes over the sites of each image, see :func:`eakd_det.functional.cat_divergence`.

    .. math:: L = \lambda \cdot \frac{1}{R} \sum_n w_n D_n

    Softmax and sigmoid scores are compared alike. The published code pools the maps to 2 x 2, which needs a grid.

    Args:
        **kwargs: ``weighting``, ``reduction``, ``loss_weight`` of :class:`ProposalLoss`.

    Raises:
        ConfigError: In use, if logits or images are missing or invalid.

    Example:
        >>> import torch
        >>> student, teacher = torch.tensor([[3.0, 1.0], [0.0, 1.0]]), torch.tensor([[0.0, 2.0], [5.0, 2.0]])
        >>> CATKDLoss()(student, teacher, torch.tensor([0, 0]))
        tensor(1.)
    """

    reads: ClassVar[dict[str, str]] = records.pairs(preds=records.LOGITS) | {'images': records.IMAGES}

    def why_not(self, activation: Activation) -> str | None:
        """Accept: it compares scores, not distributions."""
        return None

    def divergence(self, preds_S: Tensor, preds_T: Tensor, images: Tensor) -> Tensor:
        """Compute the distance at each site, ``(N,)``, from class scores ``(N, C)`` and the image of each site."""
        images = image_index(images)
        return cat_divergence(preds_S, preds_T, images, int(images.max()) + 1 if len(images) else 0)
