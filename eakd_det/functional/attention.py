"""Attention transfer: where a network's features are large."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from eakd_det.functional._inputs import check_features


def at_divergence(student: Tensor, teacher: Tensor, power: float = 2.0) -> Tensor:
    r"""Compute the squared distance of each image's attention maps (AT; Zagoruyko and Komodakis, ICLR 2017).

    .. math:: D_i = \Bigl\lVert \frac{a(s_i)}{\lVert a(s_i) \rVert} - \frac{a(t_i)}{\lVert a(t_i) \rVert} \Bigr\rVert^2,
        \qquad a(f)_x = \frac{1}{D} \sum_{d=1}^{D} \lvert f_{dx} \rvert^p

    with the norm over the positions :math:`x` of the map, so that the widths and magnitudes of the two networks do not
    matter. It runs from 0 to 2. The published code (mdistiller, RepDistiller) takes the mean over positions, which is
    :math:`D_i / (H W)`: on the maps of a detector it all but vanishes.

    Args:
        student: The student's feature maps, ``(N, D_S, H, W)``.
        teacher: The teacher's, ``(N, D_T, H, W)``; no gradient reaches them.
        power: The exponent :math:`p`, at least 1. Defaults to 2.0.

    Returns:
        Distances, ``(N,)``, float32 or better.

    Raises:
        ConfigError: Unless both are feature maps of the same size.

    Example:
        >>> import torch
        >>> top, bottom = torch.tensor([[[[3.0], [0.0]]]]), torch.tensor([[[[0.0], [5.0]]]])
        >>> at_divergence(top, 2 * top), at_divergence(top, bottom)
        (tensor([0.]), tensor([2.]))
    """
    student, teacher = check_features(student, teacher, '(N, D, H, W)', any_width=True)
    return (_attention(student, power) - _attention(teacher, power)).square().sum(dim=1)


def _attention(features: Tensor, power: float) -> Tensor:
    """Return the attention map of each image, of length 1, ``(N, H W)``."""
    # Powers of values up to 1 stay in range, and a factor does not change the normalised map.
    largest = features.detach().abs().amax(dim=(1, 2, 3), keepdim=True)
    scaled = features / largest.clamp(min=torch.finfo(largest.dtype).tiny)
    return normalize(scaled.abs().pow(power).mean(dim=1).flatten(1), dim=1)
