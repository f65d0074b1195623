"""The mean embedding of each class over the training so far."""

from __future__ import annotations

import torch
from torch import Tensor, distributed, nn


class ClassMeans(nn.Module):
    """Mean embedding of each class over all calls in training mode, of all processes; kept by checkpoints.

    Args:
        num_classes: Number of labels, background included.
        width: Width of the embeddings.

    Example:
        >>> means = ClassMeans(num_classes=2, width=1)
        >>> labels = torch.tensor([0, 1])
        >>> means(torch.tensor([[1.0], [5.0]]), labels), means(torch.tensor([[3.0], [5.0]]), labels)
        (tensor([[1.],
                [5.]]), tensor([[2.],
                [5.]]))
    """

    means: Tensor
    counts: Tensor

    def __init__(self, num_classes: int, width: int) -> None:
        super().__init__()
        self.register_buffer('means', torch.zeros(num_classes, width))
        self.register_buffer('counts', torch.zeros(num_classes))

    @torch.no_grad()
    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the mean of each row's class, ``(N, D)``, after counting the rows themselves.

        In eval mode nothing is counted, and a class that was never counted has its mean among the rows.
        """
        embeddings = embeddings.to(self.means.dtype)
        sums = torch.zeros_like(self.means).index_add(0, labels, embeddings)
        counts = torch.zeros_like(self.counts).index_add(0, labels, torch.ones_like(embeddings[:, 0]))
        if self.training:
            if distributed.is_available() and distributed.is_initialized():
                distributed.all_reduce(sums)
                distributed.all_reduce(counts)
            self.counts += counts
            self.means += (sums - counts[:, None] * self.means) / self.counts.clamp(min=1)[:, None]
        of_rows = sums / counts.clamp(min=1)[:, None]
        return torch.where(self.counts[:, None] > 0, self.means, of_rows)[labels]
