"""Norm and direction of embeddings: long ones that point to the teacher's mean of their class."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.linalg import vector_norm

from eakd_det.functional._inputs import check_features


def nd_divergence(student: Tensor, teacher: Tensor, centers: Tensor) -> Tensor:
    r"""Compute the ND loss of each embedding (KD++; Wang et al., 2023, arXiv 2305.17007).

    .. math:: \mathrm{ND}_n = 1 - \frac{\langle s_n, c_n \rangle}
        {\lVert c_n \rVert \max(\lVert s_n \rVert, \lVert t_n \rVert)}

    with the mean :math:`c_n` of the teacher's embeddings of the site's class. Below the teacher's norm the student's
    embedding is to grow in that direction, beyond it only the direction counts. It runs from 0 to 2, and is 1 where a
    direction is missing.

    Args:
        student: The student's embeddings, ``(R, D)``.
        teacher: The teacher's, ``(R, D)``; no gradient reaches them.
        centers: Mean embedding of each site's class, ``(R, D)``; no gradient reaches them.

    Returns:
        ``(R,)``, float32 or better.

    Raises:
        ConfigError: Unless all three are embeddings of the same shape.

    Example:
        >>> student, teacher = torch.tensor([[1.0, 0.0], [0.0, 6.0]]), torch.tensor([[4.0, 0.0], [4.0, 0.0]])
        >>> nd_divergence(student, teacher, torch.tensor([[2.0, 0.0], [2.0, 0.0]]))
        tensor([0.7500, 1.0000])
    """
    student, teacher = check_features(student, teacher, '(R, D)')
    _, centers = check_features(student, centers, '(R, D)')
    tiny = torch.finfo(student.dtype).tiny
    directions = centers / vector_norm(centers, dim=1, keepdim=True).clamp(min=tiny)
    longest = torch.maximum(vector_norm(student, dim=1), vector_norm(teacher, dim=1))
    return 1 - (student * directions).sum(dim=1) / longest.clamp(min=tiny)
