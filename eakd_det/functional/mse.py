"""Squared distance of vectors: embeddings or box deltas of sites."""

from __future__ import annotations

from torch import Tensor

from eakd_det.functional._inputs import check_features


def mse_divergence(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Compute the mean squared difference of each site's vectors.

    .. math:: \mathrm{MSE}_n = \frac{1}{D} \sum_{d=1}^{D} (s_{nd} - t_{nd})^2

    The vectors are embeddings or the box deltas of all classes. On box deltas it is the L2 term of FCFD's detection
    code, in which background sites and all 80 classes count alike, so that it is tiny.

    Args:
        student: The student's vectors, ``(R, D)``.
        teacher: The teacher's, ``(R, D)``.

    Example:
        >>> import torch
        >>> mse_divergence(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 4.0]]))
        tensor([2.])
    """
    student, teacher = check_features(student, teacher, '(R, D)')
    return (student - teacher).square().mean(dim=1)
