"""Distances of boxes: corners x1, y1, x2, y2 in any unit."""

from __future__ import annotations

import torch
from torch import Tensor

from eakd_det.functional._inputs import check_features

_SMALLEST_AREA = 1e-7


def giou_divergence(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Compute the generalised IoU loss of each pair of boxes (Rezatofighi et al., CVPR 2019).

    .. math:: D_n = 1 - \frac{|s_n \cap t_n|}{|s_n \cup t_n|} + \frac{|h_n| - |s_n \cup t_n|}{|h_n|}

    with the areas :math:`|\cdot|` and the smallest box :math:`h_n` around both. Shifting both boxes, or stretching both
    along an axis, changes nothing, so any unit will do. A box whose corners are in the wrong order is empty. Where the
    union, or the box around both, is smaller than 1e-7, its fraction counts as 0 and has no gradient.

    Args:
        student: The student's boxes, ``(R, 4)``.
        teacher: The teacher's, ``(R, 4)``; no gradient reaches them.

    Returns:
        From 0 for equal boxes to 2, ``(R,)``, float32 or better.

    Raises:
        ConfigError: If shapes or devices differ, or they are not ``(R, 4)``.

    Example:
        >>> giou_divergence(torch.tensor([[0.0, 0.0, 2.0, 1.0]]), torch.tensor([[1.0, 0.0, 3.0, 1.0]]))
        tensor([0.6667])
    """
    student, teacher = check_features(student, teacher, '(R, 4)')
    top_left, bottom_right = student[:, :2], student[:, 2:]
    other_top_left, other_bottom_right = teacher[:, :2], teacher[:, 2:]
    common = area(top_left.maximum(other_top_left), bottom_right.minimum(other_bottom_right))
    union = area(top_left, bottom_right) + area(other_top_left, other_bottom_right) - common
    hull = area(top_left.minimum(other_top_left), bottom_right.maximum(other_bottom_right))
    return 1 - fraction(common, union) + fraction(hull - union, hull)


def l1_divergence(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Compute the mean absolute difference of each pair of vectors.

    .. math:: D_n = \frac{1}{D} \sum_{d=1}^{D} |s_{nd} - t_{nd}|

    Args:
        student: The student's vectors, such as boxes, ``(R, D)``.
        teacher: The teacher's, ``(R, D)``; no gradient reaches them.

    Returns:
        ``(R,)``, float32 or better.

    Raises:
        ConfigError: If shapes or devices differ.

    Example:
        >>> l1_divergence(torch.tensor([[0.0, 0.0, 2.0, 1.0]]), torch.tensor([[1.0, 0.0, 3.0, 1.0]]))
        tensor([0.5000])
    """
    student, teacher = check_features(student, teacher, '(R, D)')
    return (student - teacher).abs().mean(dim=1)


def area(top_left: Tensor, bottom_right: Tensor) -> Tensor:
    """Return the area between corners ``(..., 2)``; 0 where they are in the wrong order."""
    width, height = (bottom_right - top_left).clamp(min=0).unbind(dim=-1)
    return width * height


def fraction(part: Tensor, whole: Tensor) -> Tensor:
    """Return ``part / whole``; 0, without gradient, where the whole is all but nothing."""
    is_defined = whole > _SMALLEST_AREA
    return torch.where(is_defined, part, 0) / torch.where(is_defined, whole, 1)
