"""FGD: feature maps compared where objects are, where none are, and by where a network looks."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.functional._inputs import check_features


class FGDTerms(NamedTuple):
    """Terms of FGD for each image, before their weights.

    Attributes:
        foreground: Distance in the boxes of objects, ``(N,)``.
        background: Distance outside of them, ``(N,)``.
        attention: Distance of the attention maps, ``(N,)``.
    """

    foreground: Tensor
    background: Tensor
    attention: Tensor


def foreground_scale(boxes: Tensor, input_size: tuple[int, int], size: tuple[int, int]) -> Tensor:
    r"""Compute FGD's scale of each cell of an image's feature map (Yang et al., CVPR 2022, Sect. 3.1).

    .. math:: s_{yx} = \max_{r \ni (y, x)} \frac{1}{H_r W_r}

    with the height and width in cells of each box :math:`r` that touches the cell; 0 where none does. So large objects
    do not count more than small ones, and where boxes overlap the smallest counts. As in the published code, a box has
    the cells from the floor of its first side to the ceiling of its last, both included. What lies beyond the border of
    the image does not count.

    Args:
        boxes: Boxes of the objects, ``(G, 4)``: x1, y1, x2, y2 in pixels.
        input_size: Height and width of the network's input, in pixels.
        size: Height and width of the map.

    Returns:
        ``size``, float32 or better. Without boxes it is 0.

    Example:
        >>> import torch
        >>> foreground_scale(torch.tensor([[8.0, 0.0, 16.0, 8.0]]), (24, 32), (3, 4))
        tensor([[0.0000, 0.2500, 0.2500, 0.0000],
                [0.0000, 0.2500, 0.2500, 0.0000],
                [0.0000, 0.0000, 0.0000, 0.0000]])
    """
    height, width = size
    boxes = boxes.detach().to(torch.promote_types(boxes.dtype, torch.float32))
    if not len(boxes):
        return boxes.new_zeros(size)
    left, right, columns = _cells(boxes[:, 0::2], input_size[1], width)
    top, bottom, rows = _cells(boxes[:, 1::2], input_size[0], height)
    x = torch.arange(width, device=boxes.device)
    y = torch.arange(height, device=boxes.device)
    inside_x = (left[:, None] <= x) & (x <= right[:, None])
    inside_y = (top[:, None] <= y) & (y <= bottom[:, None])
    inside = inside_y[:, :, None] & inside_x[:, None, :]
    return torch.where(inside, (1 / (rows * columns))[:, None, None], 0.0).amax(dim=0)


def _cells(sides: Tensor, pixels: int, cells: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the first and last cell of each box in one direction, and how many they are within the map."""
    scaled = sides / pixels * cells
    first, last = scaled[:, 0].floor(), scaled[:, 1].ceil()
    return first, last, last.clamp(0, cells) - first.clamp(0, cells) + 1


def fgd_terms(student: Tensor, teacher: Tensor, scale: Tensor, tau: float = 0.5) -> FGDTerms:
    r"""Compute the focal terms of FGD for each image's feature map (Yang et al., CVPR 2022, Sect. 3.1).

    .. math::
        D^{\mathrm{fg}} = \sum_{c, x} s_x A^S_x(t) A^C_c(t) (t_{cx} - f_{cx})^2, \quad
        D^{\mathrm{bg}} = \frac{1}{N_{\mathrm{bg}}} \sum_{c,\, x: s_x = 0} A^S_x(t) A^C_c(t) (t_{cx} - f_{cx})^2

    .. math:: D^{\mathrm{at}} = \lVert A^S(t) - A^S(f) \rVert_1 + \lVert A^C(t) - A^C(f) \rVert_1

    with the student's features :math:`f`, the teacher's :math:`t`, the scale :math:`s` of the objects' cells, the
    number :math:`N_{\mathrm{bg}}` of the others, and attention to cells and channels

    .. math::
        A^S(f) = H W\, \mathrm{softmax}_x \frac{\sum_c |f_{cx}|}{D\, T}, \quad
        A^C(f) = D\, \mathrm{softmax}_c \frac{\sum_x |f_{cx}|}{H W\, T}

    All are sums, so they grow with the map and with the square of the features: the published weights are small.

    Args:
        student: The student's feature maps, ``(N, D, H, W)``.
        teacher: The teacher's, ``(N, D, H, W)``.
        scale: Scale of each cell, ``(N, H, W)``, from :func:`foreground_scale`: above 0 where an object is, else 0.
        tau: The temperature :math:`T` of the attention. Defaults to 0.5, as published.

    Raises:
        ConfigError: Unless both are feature maps of the same shape, and ``scale`` fits them.

    Example:
        >>> import torch
        >>> maps, scale = torch.ones(1, 2, 2, 2), torch.tensor([[[0.5, 0.5], [0.0, 0.0]]])
        >>> [term.item() for term in fgd_terms(maps, 3 * maps, scale)]
        [8.0, 8.0, 0.0]
    """
    student, teacher = check_features(student, teacher, '(N, D, H, W)')
    if scale.shape != (len(student), *student.shape[2:]):
        raise ConfigError(
            f'scale: expected a scale for each cell, {(len(student), *student.shape[2:])}, but got {tuple(scale.shape)}'
        )
    cells_S, channels_S = _attention(student, tau)
    cells_T, channels_T = _attention(teacher, tau)
    distance = ((teacher - student).square() * channels_T[:, :, None, None]).sum(dim=1) * cells_T
    scale, background = scale.to(distance), (scale == 0).to(distance)
    attention = (cells_T - cells_S).abs().sum(dim=(1, 2)) + (channels_T - channels_S).abs().sum(dim=1)
    return FGDTerms(
        foreground=(scale * distance).sum(dim=(1, 2)),
        background=(background * distance).sum(dim=(1, 2)) / background.sum(dim=(1, 2)).clamp(min=1),
        attention=attention,
    )


def _attention(features: Tensor, tau: float) -> tuple[Tensor, Tensor]:
    """Return the attention to the cells, ``(N, H, W)``, and to the channels, ``(N, D)``, of mean 1 each."""
    _, width, height, columns = features.shape
    magnitude = features.abs() / tau
    cells = height * columns * magnitude.mean(dim=1).flatten(1).softmax(dim=1).unflatten(1, (height, columns))
    return cells, width * magnitude.mean(dim=(2, 3)).softmax(dim=1)
