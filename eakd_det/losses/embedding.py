"""Distillation of RoI embeddings: what the classifier sees of each proposal."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from eakd_det.errors import ConfigError, require_count
from eakd_det.functional import mse_divergence
from eakd_det.losses.base import ProposalLoss, ProposalTerms


class EmbeddingLoss(ProposalLoss):
    r"""Mean squared error of RoI embeddings, see :func:`eakd_det.functional.mse_divergence`.

    .. math:: L = \lambda \cdot \frac{1}{R} \sum_n \frac{w_n}{D} \lVert A e^S_n - e^T_n \rVert^2

    The weighting sees the logits of the same proposals. Where the widths of the embeddings differ, :math:`A` is a
    linear layer that is trained with the student, otherwise it is left out.

    Args:
        student_channels: Width of the student's embeddings; needed where it differs from the teacher's.
            Defaults to None.
        teacher_channels: Width of the teacher's. Defaults to None.
        **kwargs: ``weighting``, ``reduction``, ``loss_weight`` of :class:`ProposalLoss`.

    Raises:
        ConfigError: If only one width is given; in use, if embeddings are missing or do not fit.

    Example:
        >>> import torch
        >>> logits = torch.zeros(1, 3)
        >>> loss = EmbeddingLoss(loss_weight=0.5)
        >>> embeddings = dict(embeddings_S=torch.tensor([[1.0, 2.0]]), embeddings_T=torch.tensor([[1.0, 4.0]]))
        >>> loss(logits, logits, **embeddings)
        tensor(1.)
    """

    default_mapping: ClassVar[dict[str, dict[str, Any]]] = {
        'preds_S': dict(recorder='proposal_logits', from_student=True),
        'preds_T': dict(recorder='proposal_logits', from_student=False),
        'embeddings_S': dict(recorder='proposal_embeddings', from_student=True),
        'embeddings_T': dict(recorder='proposal_embeddings', from_student=False),
    }

    def __init__(self, student_channels: int | None = None, teacher_channels: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        name = type(self).__name__
        for key, value in (('student_channels', student_channels), ('teacher_channels', teacher_channels)):
            if value is not None:
                require_count(f'{name}.{key}', value)
        if (student_channels is None) != (teacher_channels is None):
            raise ConfigError(
                f'{name}: expected both student_channels and teacher_channels or none of them, '
                f'but got {student_channels} and {teacher_channels}'
            )
        self.projection: nn.Linear | None = None
        if student_channels is not None and teacher_channels is not None and student_channels != teacher_channels:
            self.projection = nn.Linear(student_channels, teacher_channels)

    def terms(
        self,
        preds_S: Tensor,
        preds_T: Tensor,
        gt_labels: Tensor | None = None,
        embeddings_S: Tensor | None = None,
        embeddings_T: Tensor | None = None,
    ) -> ProposalTerms:
        """Divergence and weight of each proposal.

        Args:
            preds_S: The student's class scores, ``(R, C)``, for the weighting.
            preds_T: The teacher's, ``(R, C)``.
            gt_labels: Not used. Defaults to None.
            embeddings_S: The student's embeddings, ``(R, D_S)``.
            embeddings_T: The teacher's, ``(R, D_T)``.

        Raises:
            ConfigError: If embeddings are missing or do not fit.
        """
        name = type(self).__name__
        if embeddings_S is None or embeddings_T is None:
            raise ConfigError(
                f'{name}: expected embeddings_S and embeddings_T, the RoI embeddings of each proposal, but got none; '
                'add both to its loss_forward_mappings'
            )
        if self.projection is not None:
            if embeddings_S.shape[1] != self.projection.in_features:
                raise ConfigError(
                    f'{name}.student_channels: expected the width of the embeddings, {embeddings_S.shape[1]}, '
                    f'but got {self.projection.in_features}'
                )
            embeddings_S = self.projection(embeddings_S.to(self.projection.weight.dtype))
        divergence = self.embedding_divergence(embeddings_S, embeddings_T)
        return ProposalTerms(divergence, self.weighting(preds_S, preds_T))

    def embedding_divergence(self, embeddings_S: Tensor, embeddings_T: Tensor) -> Tensor:
        """The divergence of each proposal, ``(R,)``, from embeddings of the same width ``(R, D)``."""
        return mse_divergence(embeddings_S, embeddings_T)

    def forward(
        self,
        preds_S: Tensor,
        preds_T: Tensor,
        gt_labels: Tensor | None = None,
        embeddings_S: Tensor | None = None,
        embeddings_T: Tensor | None = None,
    ) -> Tensor:
        """The loss; arguments as in :meth:`terms`."""
        return self.reduce(self.terms(preds_S, preds_T, gt_labels, embeddings_S, embeddings_T))
