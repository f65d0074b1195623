"""Relational knowledge distillation of sites."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from eakd_det.arguments import Count, NotNegative, checked
from eakd_det.functional import rkd_angle_divergence, rkd_distance_divergence
from eakd_det.losses.embedding import EmbeddingLoss
from eakd_det.selection import select_elements


class RKDLoss(EmbeddingLoss):
    r"""Distances and angles among the embeddings of sites (RKD; Park et al., CVPR 2019).

    .. math:: L = \lambda \cdot \frac{1}{R} \sum_n w_n \Bigl(\lambda_d D_n + \lambda_a \frac{R}{K} A_n\Bigr)

    with :func:`eakd_det.functional.rkd_distance_divergence` among all sites of the batch and
    :func:`eakd_det.functional.rkd_angle_divergence` among :math:`K` of them, evenly spaced; :math:`A_n = 0` for the
    others. The angles of all 1,024 sites of two images would need 4 GB, and the published ones are those of 64 images.
    With as many sites or fewer and equal weights it is the published loss. The widths of the embeddings may differ.

    Args:
        distance_weight: The factor :math:`\lambda_d`. Defaults to 25.0, as published.
        angle_weight: The factor :math:`\lambda_a`. Defaults to 50.0, as published.
        angle_sites: Largest number :math:`K` of sites among which angles are compared. Defaults to 64.
        **kwargs: As in :class:`EmbeddingLoss`.

    Raises:
        ConfigError: If an argument is out of range; in use, if embeddings are missing or invalid.

    Example:
        >>> logits = torch.zeros(3, 2)
        >>> corner = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> RKDLoss()(logits, logits, embeddings_S=3 * corner, embeddings_T=corner) < 1e-5
        tensor(True)
    """

    @checked
    def __init__(
        self,
        distance_weight: NotNegative = 25.0,
        angle_weight: NotNegative = 50.0,
        angle_sites: Count = 64,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.distance_weight = distance_weight
        self.angle_weight = angle_weight
        self.angle_sites = angle_sites

    def embedding_divergence(self, embeddings_S: Tensor, embeddings_T: Tensor) -> Tensor:
        """Compute RKD of each site, ``(N,)``, from embeddings ``(N, D_S)`` and ``(N, D_T)``."""
        divergence = self.distance_weight * rkd_distance_divergence(embeddings_S, embeddings_T)
        count = len(embeddings_S)
        if not self.angle_weight or not count:
            return divergence
        rows = torch.arange(count, device=embeddings_S.device)
        rows = select_elements(rows, min(count, self.angle_sites), 0)
        angles = rkd_angle_divergence(embeddings_S[rows], embeddings_T[rows])
        return divergence.index_add(0, rows, angles, alpha=self.angle_weight * count / len(rows))
