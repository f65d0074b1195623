"""Distance of feature maps by the Pearson correlation of their channels."""

from __future__ import annotations

import torch
from torch import Tensor

from eakd_det.functional._inputs import check_features

_EPSILON = 1e-6


def pkd_divergence(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Compute PKD's distance of each image's feature map (Cao et al., NeurIPS 2022, Eq. 4).

    .. math:: D_i = \frac{1}{2 D H W} \sum_{c, x} (\hat s_{i,c,x} - \hat t_{i,c,x})^2

    where :math:`\hat{\ }` brings each channel to mean 0 and variance 1 over the images and positions of the batch. The
    mean over images is :math:`1 - r`, with the Pearson correlation :math:`r` of two channels, averaged over channels,
    so that the magnitudes of the two networks' features do not matter.

    Args:
        student: The student's feature maps, ``(N, D, H, W)``.
        teacher: The teacher's, ``(N, D, H, W)``.

    Returns:
        ``(N,)``. The values of a batch depend on each other through the means and variances.

    Example:
        >>> features = torch.randn(2, 3, 8, 8)
        >>> pkd_divergence(features, 5 * features + 1).max() < 1e-5, pkd_divergence(features, -features).mean()
        (tensor(True), tensor(2.0000))
    """
    student, teacher = check_features(student, teacher, '(N, D, H, W)')
    return (_standardized(student) - _standardized(teacher)).square().mean(dim=(1, 2, 3)) / 2


def _standardized(features: Tensor) -> Tensor:
    centred = features - features.mean(dim=(0, 2, 3), keepdim=True)
    return centred * torch.rsqrt(centred.square().mean(dim=(0, 2, 3), keepdim=True) + _EPSILON)
