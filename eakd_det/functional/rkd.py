"""Relational knowledge distillation: distances and angles among the embeddings of sites."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from eakd_det.functional._inputs import check_features


def rkd_distance_divergence(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Compare how far sites are from each other (RKD-D; Park et al., CVPR 2019).

    .. math:: D_n = \frac{1}{R} \sum_{m=1}^{R}
        \ell_\delta\Bigl(\frac{d^S_{nm}}{\bar d^S}, \frac{d^T_{nm}}{\bar d^T}\Bigr), \qquad
        d_{nm} = \lVert e_n - e_m \rVert

    with the Huber loss :math:`\ell_\delta` and the mean :math:`\bar d` of the distances that are not 0. The mean over
    sites is the published loss. A distance below the rounding error of its computation counts as 0.

    Args:
        student: The student's embeddings, ``(R, D_S)``.
        teacher: The teacher's, ``(R, D_T)``; no gradient reaches them.

    Returns:
        ``(R,)``, float32 or better; the sites depend on each other.

    Raises:
        ConfigError: Unless both are embeddings of as many sites.

    Example:
        >>> line = torch.tensor([[0.0], [1.0], [2.0]])
        >>> rkd_distance_divergence(7 * line, line), rkd_distance_divergence(line, line.square())
        (tensor([0., 0., 0.]), tensor([0.0234, 0.0469, 0.0234]))
    """
    student, teacher = check_features(student, teacher, '(R, D)', any_width=True)
    compared = smooth_l1_loss(_relative_distances(student), _relative_distances(teacher), reduction='none')
    return compared.sum(dim=1) / max(len(compared), 1)


def rkd_angle_divergence(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Compare the angles at each site between the directions to all others (RKD-A; Park et al., CVPR 2019).

    .. math:: A_n = \frac{1}{R^2} \sum_{j,k} \ell_\delta\bigl(\cos \angle^S_{njk}, \cos \angle^T_{njk}\bigr), \qquad
        \cos \angle_{njk} = \Bigl\langle \frac{e_j - e_n}{\lVert e_j - e_n \rVert},
        \frac{e_k - e_n}{\lVert e_k - e_n \rVert} \Bigr\rangle

    The mean over sites is the published loss. It needs ``R ** 3`` numbers: 64 sites are 1 MB, 1,024 are 4 GB.

    Args:
        student: The student's embeddings, ``(R, D_S)``.
        teacher: The teacher's, ``(R, D_T)``; no gradient reaches them.

    Returns:
        ``(R,)``, float32 or better; the sites depend on each other.

    Raises:
        ConfigError: Unless both are embeddings of as many sites.

    Example:
        >>> corner = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> rkd_angle_divergence(3 * corner, corner).abs().max() < 1e-6
        tensor(True)
    """
    student, teacher = check_features(student, teacher, '(R, D)', any_width=True)
    compared = smooth_l1_loss(_cosines(student), _cosines(teacher), reduction='none')
    return compared.sum(dim=(1, 2)) / max(len(compared) ** 2, 1)


def _relative_distances(embeddings: Tensor) -> Tensor:
    """Return the distances between all sites in units of their mean, ``(R, R)``."""
    centred = embeddings - embeddings.detach().sum(dim=0) / max(len(embeddings), 1)
    squares = centred.square().sum(dim=1)
    sums = squares[:, None] + squares
    # Autocast would compute the product in half precision.
    with torch.autocast(embeddings.device.type, enabled=False):
        squared = sums - 2 * centred @ centred.t()
    is_apart = _is_apart(squared, sums)
    distances = torch.where(is_apart, squared, 1.0).sqrt() * is_apart
    mean = distances.sum() / is_apart.sum().clamp(min=1)
    return distances / mean.clamp(min=torch.finfo(mean.dtype).tiny)


def _cosines(embeddings: Tensor) -> Tensor:
    """Return the cosine at each site between the directions to two others, ``(R, R, R)``; 0 without a direction."""
    difference = embeddings[None, :] - embeddings[:, None]
    squared, squares = difference.square().sum(dim=2), embeddings.square().sum(dim=1)
    is_apart = _is_apart(squared, squares[:, None] + squares)
    length = torch.where(is_apart, squared, 1.0).sqrt()
    direction = difference * (is_apart / length)[:, :, None]
    with torch.autocast(embeddings.device.type, enabled=False):
        return direction @ direction.transpose(1, 2)


def _is_apart(squared: Tensor, sums: Tensor) -> Tensor:
    return squared.detach() > 8 * torch.finfo(squared.dtype).eps * sums.detach()
