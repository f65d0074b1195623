"""Distillation of embeddings, the classifier's input at each site."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from eakd_det.activation import Activation
from eakd_det.arguments import Count, checked
from eakd_det.errors import ConfigError
from eakd_det.functional import mse_divergence
from eakd_det.losses import records
from eakd_det.losses.base import ProposalLoss


class EmbeddingLoss(ProposalLoss):
    r"""Mean squared error of embeddings, see :func:`eakd_det.functional.mse_divergence`.

    .. math:: L = \lambda \cdot \frac{1}{R} \sum_n \frac{w_n}{D} \lVert A e^S_n - e^T_n \rVert^2

    The weighting sees the logits of the same sites. Where the widths of the embeddings differ, :math:`A` is a linear
    layer that is trained with the student; otherwise there is none.

    Args:
        student_channels: Width of the student's embeddings; needed where it differs from the teacher's.
        teacher_channels: Width of the teacher's.
        **kwargs: ``weighting``, ``reduction``, ``loss_weight`` of :class:`ProposalLoss`.

    Raises:
        ConfigError: If only one width is given; in use, if embeddings are missing or invalid.

    Example:
        >>> import torch
        >>> logits = torch.zeros(1, 3)
        >>> embeddings = dict(embeddings_S=torch.tensor([[1.0, 2.0]]), embeddings_T=torch.tensor([[1.0, 4.0]]))
        >>> EmbeddingLoss(loss_weight=0.5)(logits, logits, **embeddings)
        tensor(1.)
    """

    reads: ClassVar[dict[str, str]] = records.pairs(preds=records.LOGITS, embeddings=records.EMBEDDINGS)

    @checked
    def __init__(
        self, student_channels: Count | None = None, teacher_channels: Count | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if (student_channels is None) != (teacher_channels is None):
            raise ConfigError(
                f'{type(self).__name__}: expected both student_channels and teacher_channels or none of them, '
                f'but got {student_channels} and {teacher_channels}'
            )
        self.projection: nn.Linear | None = None
        if student_channels is not None and teacher_channels is not None and student_channels != teacher_channels:
            self.projection = nn.Linear(student_channels, teacher_channels)

    def why_not(self, activation: Activation) -> str | None:
        """Accept: class scores are only weighed."""
        return None

    def divergence(self, embeddings_S: Tensor, embeddings_T: Tensor) -> Tensor:
        """Compute the divergence of each site, ``(N,)``, from embeddings ``(N, D_S)`` and ``(N, D_T)``."""
        return self.embedding_divergence(self.projected(embeddings_S), embeddings_T)

    def projected(self, embeddings_S: Tensor) -> Tensor:
        """Return the student's embeddings in the teacher's width, ``(N, D_T)``."""
        if self.projection is None:
            return embeddings_S
        self.require_width(embeddings_S, self.projection.in_features)
        return self.projection(embeddings_S.to(self.projection.weight.dtype))

    def require_width(self, embeddings: Tensor, width: int, side: str = 'student') -> None:
        """Raise :class:`ConfigError` unless the ``embeddings`` of a side have this ``width``."""
        if embeddings.shape[1] != width:
            raise ConfigError(
                f'{type(self).__name__}.{side}_channels: expected the width of the embeddings, '
                f'{embeddings.shape[1]}, but got {width}'
            )

    def embedding_divergence(self, embeddings_S: Tensor, embeddings_T: Tensor) -> Tensor:
        """Compute the divergence of each site, ``(N,)``, from embeddings of the same width ``(N, D)``."""
        return mse_divergence(embeddings_S, embeddings_T)
