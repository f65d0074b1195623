"""Hierarchical context loss: feature maps compared at several resolutions."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from eakd_det.functional._inputs import check_features


def hcl_divergence(student: Tensor, teacher: Tensor, pool_sizes: Sequence[int] = (4, 2, 1)) -> Tensor:
    r"""Compute the hierarchical context loss of each image's feature map (ReviewKD; Chen et al., CVPR 2021).

    .. math:: \mathrm{HCL}_i = \frac{\sum_k 2^{-k}\, \mathrm{MSE}\bigl(\mathrm{pool}_k(s_i), \mathrm{pool}_k(t_i)\bigr)}
        {\sum_k 2^{-k}}

    where :math:`\mathrm{pool}_0` is the map itself and the others average it down to 4 × 4, 2 × 2 and 1 × 1. A size
    that is not below the map's height is skipped; only the height decides, as in the published code. The loss of a
    pyramid is the sum over its levels, and its mean over images that of ReviewKD.

    Args:
        student: The student's feature maps, ``(N, D, H, W)``.
        teacher: The teacher's, ``(N, D, H, W)``.
        pool_sizes: Sizes of the pooled maps.

    Example:
        >>> import torch
        >>> hcl_divergence(torch.full((2, 3, 8, 8), 50.0), torch.full((2, 3, 8, 8), -50.0))
        tensor([10000., 10000.])
    """
    student, teacher = check_features(student, teacher, '(N, D, H, W)')
    difference = student - teacher  # pooling is linear
    weight = total = 1.0
    divergence = difference.square().mean(dim=(1, 2, 3))
    for size in pool_sizes:
        if size >= student.shape[2]:
            continue
        weight /= 2
        total += weight
        divergence = divergence + weight * adaptive_avg_pool2d(difference, size).square().mean(dim=(1, 2, 3))
    return divergence / total
