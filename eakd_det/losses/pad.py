"""Prime-aware adaptive distillation of embeddings."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from torch import Tensor, nn

from eakd_det.arguments import Constraint, Count, CountOrZero, Fraction, checked
from eakd_det.functional import mse_divergence, pad_divergence
from eakd_det.losses.embedding import EmbeddingLoss
from eakd_det.weighting.iterations import IterationCounter

# The exponential of a larger number is not a float32.
LogVariance = Annotated[float, Constraint('a number from -80 to 80', lambda value: abs(value) <= 80)]


class PADLoss(EmbeddingLoss):
    r"""Embeddings at a learned variance, see :func:`eakd_det.functional.pad_divergence`.

    .. math:: L = \lambda \cdot \frac{1}{R} \sum_n \frac{w_n}{D} \sum_d
        \frac{(e^T_{nd} - e^S_{nd})^2}{\epsilon + e^{s_{nd}}} + s_{nd}, \qquad s_n = \mathrm{BN}(W e^S_n + b)

    The branch that predicts the log-variance :math:`s` is trained with the student and discarded with the loss. Its
    batch normalisation couples the sites of a batch; with fewer than two sites it uses its running statistics. The
    paper claims detection results, but its setup could not be found: embeddings of sites are this package's reading.

    Args:
        student_channels: Width of the student's embeddings.
        teacher_channels: Width of the teacher's; None is the student's.
        warmup_iters: Training iterations of plain mean squared error before the variance counts.
        eps: Lower bound of the variance.
        min_log_variance: Lower bound of the log-variance. None, as in the published code, lets the loss fall without
            limit.
        batch_norm: Whether the branch ends in batch normalisation, as in the published code.
        **kwargs: ``weighting``, ``reduction``, ``loss_weight`` of :class:`ProposalLoss`.

    Raises:
        ConfigError: If an argument is out of range; in use, if embeddings are missing or invalid.

    Example:
        >>> import torch
        >>> loss = PADLoss(student_channels=2, warmup_iters=1)
        >>> logits = torch.zeros(1, 3)
        >>> embeddings = dict(embeddings_S=torch.tensor([[1.0, 2.0]]), embeddings_T=torch.tensor([[1.0, 4.0]]))
        >>> loss(logits, logits, **embeddings).item()
        2.0
    """

    @checked
    def __init__(
        self,
        student_channels: Count,
        teacher_channels: Count | None = None,
        warmup_iters: CountOrZero = 0,
        eps: Fraction = 1e-6,
        min_log_variance: LogVariance | None = -10.0,
        batch_norm: bool = True,
        **kwargs: Any,
    ) -> None:
        width = student_channels if teacher_channels is None else teacher_channels
        super().__init__(student_channels, width, **kwargs)
        self.eps = eps
        self.min_log_variance = min_log_variance
        self.variance = nn.Linear(width, width)
        self.norm = nn.BatchNorm1d(width) if batch_norm else None
        self.warmup = None if warmup_iters == 0 else IterationCounter(warmup_iters)

    def embedding_divergence(self, embeddings_S: Tensor, embeddings_T: Tensor) -> Tensor:
        """Compute PAD of each site, ``(N,)``, or the mean squared error during the warm-up."""
        self.require_width(embeddings_S, self.variance.in_features)
        log_variance = self.log_variance(embeddings_S)
        divergence = pad_divergence(embeddings_S, embeddings_T, log_variance, self.eps, self.min_log_variance)
        if self.warmup is None:
            return divergence
        # Computing both gives every parameter a gradient and avoids a synchronisation with the device.
        warm = self.warmup.progress() >= 1
        self.warmup.advance()
        return torch.where(warm, divergence, mse_divergence(embeddings_S, embeddings_T))

    def log_variance(self, embeddings: Tensor) -> Tensor:
        """Predict the log-variances, ``(N, D)``, of the student's embeddings, ``(N, D)``, in float32 or better."""
        hidden = self.variance(embeddings.to(self.variance.weight.dtype)).to(self.variance.weight.dtype)
        if self.norm is None:
            return hidden
        norm = self.norm
        if norm.training and len(hidden) < 2:
            return nn.functional.batch_norm(
                hidden, norm.running_mean, norm.running_var, norm.weight, norm.bias, training=False, eps=norm.eps
            )
        return norm(hidden)
