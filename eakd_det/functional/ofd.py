"""Overhaul of feature distillation: negative responses count only where the student's are larger."""

from __future__ import annotations

import torch
from torch import Tensor

from eakd_det.functional._inputs import check_features, to_float


@torch.no_grad()
def negative_means(features: Tensor) -> Tensor:
    r"""Compute the mean of each channel's negative responses (OFD; Heo et al., ICCV 2019).

    .. math:: m_d = \mathrm{E}[f_{idx} \mid f_{idx} < 0]

    over the images and positions of the batch; 0 for a channel without any. The published code computes the same
    expectation from the BatchNorm before the ReLU, as of a normal distribution; a feature pyramid has none.

    Args:
        features: Feature maps, ``(N, D, H, W)``.

    Returns:
        Margins, ``(D,)``, at most 0, without gradient.

    Example:
        >>> negative_means(torch.tensor([[[[-1.0, -3.0, 8.0]], [[1.0, 2.0, 3.0]]]]))
        tensor([-2.,  0.])
    """
    features = to_float(features)
    negative = features.clamp(max=0)
    return negative.sum(dim=(0, 2, 3)) / (negative < 0).sum(dim=(0, 2, 3)).clamp(min=1)


def ofd_divergence(student: Tensor, teacher: Tensor, margins: Tensor | None = None) -> Tensor:
    r"""Compute OFD's partial squared distance of each image's feature map (Heo et al., ICCV 2019).

    .. math:: D_i = \frac{1}{D H W} \sum_{d, x} \begin{cases}
        0 & \text{if } s_{idx} \le t'_{idx} \le 0 \\ (s_{idx} - t'_{idx})^2 & \text{otherwise} \end{cases}
        \qquad t'_{idx} = \max(t_{idx}, m_d)

    What a ReLU would remove of the teacher need not be met exactly: the student must only stay below it. The published
    code sums over channels and positions and halves the weight from each level to the next finer one; the mean does not
    grow with the size of the image.

    Args:
        student: The student's feature maps, ``(N, D, H, W)``.
        teacher: The teacher's, ``(N, D, H, W)``; no gradient reaches them.
        margins: Lower bound of the teacher's responses in each channel, ``(D,)``. Defaults to None: those of
            :func:`negative_means`, with which the values of a batch depend on each other.

    Returns:
        Distances, ``(N,)``, float32 or better.

    Raises:
        ConfigError: Unless both are feature maps of the same shape.

    Example:
        >>> student, teacher = torch.tensor([[[[-5.0, 1.0]]]]), torch.tensor([[[[-1.0, -1.0]]]])
        >>> ofd_divergence(student, teacher)  # -5 is below -1; 1 is above it by 2
        tensor([2.])
    """
    student, teacher = check_features(student, teacher, '(N, D, H, W)')
    bounds = negative_means(teacher) if margins is None else margins.detach()
    target = torch.maximum(teacher, bounds[:, None, None])
    counts = (student > target) | (target > 0)
    return ((student - target).square() * counts).mean(dim=(1, 2, 3))
