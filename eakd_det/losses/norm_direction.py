"""KD++'s loss on the embeddings of sites."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from eakd_det.arguments import Count, checked
from eakd_det.errors import ConfigError
from eakd_det.functional import nd_divergence
from eakd_det.losses import records
from eakd_det.losses.class_means import ClassMeans
from eakd_det.losses.embedding import EmbeddingLoss


class NormDirectionLoss(EmbeddingLoss):
    r"""Norm and direction of embeddings, see :func:`eakd_det.functional.nd_divergence`.

    .. math:: L = \lambda \cdot \frac{1}{R} \sum_n w_n\, \mathrm{ND}(e^S_n, e^T_n, c_{y_n})

    KD plus this loss is KD++ (Wang et al., 2023), ReviewKD plus this loss ReviewKD++. The class means :math:`c` of the
    teacher's embeddings, background among the classes, are computed in a pass over the data before the training in the
    published code; here they are those of all proposals up to the present step, in the loss's checkpoint.

    Args:
        num_classes: Number of labels, background included. Defaults to 81.
        student_channels: Width of the student's embeddings; a linear layer converts them where it differs from the
            teacher's. Defaults to 1024.
        teacher_channels: Width of the teacher's. Defaults to None: the student's.
        **kwargs: ``weighting``, ``reduction``, ``loss_weight`` of :class:`ProposalLoss`. The published weights for COCO
            are 1.5 (R-101 to R-18) and 1.0 (R-101 to R-50, R-50 to MobileNetV2).

    Raises:
        ConfigError: If an argument is out of range; in use, if embeddings or labels are missing or invalid.

    Example:
        >>> import torch
        >>> loss = NormDirectionLoss(num_classes=2, student_channels=2)
        >>> logits, embeddings = torch.zeros(1, 2), torch.tensor([[3.0, 4.0]])
        >>> loss(logits, logits, embeddings / 2, embeddings, torch.tensor([0]))
        tensor(0.5000)
    """

    reads: ClassVar[dict[str, str]] = EmbeddingLoss.reads | {'gt_labels': records.LABELS}

    @checked
    def __init__(
        self,
        num_classes: Count = 81,
        student_channels: Count = 1024,
        teacher_channels: Count | None = None,
        **kwargs: Any,
    ) -> None:
        width = student_channels if teacher_channels is None else teacher_channels
        super().__init__(student_channels, width, **kwargs)
        self.centers = ClassMeans(num_classes, width)

    def divergence(  # type: ignore[override]
        self, embeddings_S: Tensor, embeddings_T: Tensor, gt_labels: Tensor
    ) -> Tensor:
        """Compute the ND loss of each site, ``(N,)``, from embeddings and the class of each site."""
        classes, width = self.centers.means.shape
        self.require_width(embeddings_T, width, 'teacher')
        found = gt_labels.tolist() if gt_labels.device.type == 'cpu' else []  # a GPU has an assertion of its own
        if found and not 0 <= min(found) <= max(found) < classes:
            raise ConfigError(
                f'{type(self).__name__}.num_classes: expected more than the largest label, {max(found)}, and no label '
                f'below 0, but got {classes}; background is a class'
            )
        centers = self.centers(embeddings_T, gt_labels)
        return nd_divergence(self.projected(embeddings_S), embeddings_T, centers)
