"""Contrastive representation distillation of sites."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from eakd_det.arguments import Count, Positive, checked
from eakd_det.functional import crd_divergence
from eakd_det.losses import records
from eakd_det.losses.embedding import EmbeddingLoss


class CRDLoss(EmbeddingLoss):
    r"""Contrast of embeddings among the sites of a batch (CRD; Tian et al., ICLR 2020).

    .. math:: L = \lambda \cdot \frac{1}{R} \sum_n w_n \bigl(\mathrm{CRD}(A e^S, B e^T)_n
        + \mathrm{CRD}(B e^T, A e^S)_n\bigr)

    see :func:`eakd_det.functional.crd_divergence`. Both linear layers are trained with the student. In each term only
    the anchor, the first argument, gets a gradient, as from the published memory: the first trains student and
    :math:`A`, the second :math:`B`.

    Args:
        student_channels: Width of the student's embeddings. Defaults to 1024.
        teacher_channels: Width of the teacher's. Defaults to None: the student's.
        embed_channels: Width of the common space. Defaults to 128, as published.
        tau: Temperature of the similarities. Defaults to 0.07, as published.
        **kwargs: ``weighting``, ``reduction``, ``loss_weight`` (0.8 is published) of :class:`ProposalLoss`.

    Raises:
        ConfigError: If an argument is out of range; in use, if embeddings or labels are missing or invalid.

    Example:
        >>> import torch
        >>> loss = CRDLoss(student_channels=4, teacher_channels=6, embed_channels=2)
        >>> logits, labels = torch.zeros(3, 2), torch.tensor([0, 1, 1])
        >>> loss(logits, logits, torch.randn(3, 4), torch.randn(3, 6), labels) > 0
        tensor(True)
    """

    reads: ClassVar[dict[str, str]] = EmbeddingLoss.reads | {'gt_labels': records.LABELS}

    @checked
    def __init__(
        self,
        student_channels: Count = 1024,
        teacher_channels: Count | None = None,
        embed_channels: Count = 128,
        tau: Positive = 0.07,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.embed_student = nn.Linear(student_channels, embed_channels)
        self.embed_teacher = nn.Linear(teacher_channels or student_channels, embed_channels)
        self.tau = tau

    def divergence(  # type: ignore[override]
        self, embeddings_S: Tensor, embeddings_T: Tensor, gt_labels: Tensor
    ) -> Tensor:
        """Compute CRD of each site, ``(N,)``, from embeddings and the class of each site."""
        self.require_width(embeddings_S, self.embed_student.in_features)
        self.require_width(embeddings_T, self.embed_teacher.in_features, 'teacher')
        dtype = self.embed_student.weight.dtype
        student = self.embed_student(embeddings_S.to(dtype))
        teacher = self.embed_teacher(embeddings_T.detach().to(dtype))
        return crd_divergence(student, teacher, gt_labels, self.tau) + crd_divergence(
            teacher, student, gt_labels, self.tau
        )
