"""Class attention transfer: where in an image each class is seen."""

from __future__ import annotations

from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.functional._inputs import check_pair

_EPSILON = 1e-12


def cat_divergence(student_logits: Tensor, teacher_logits: Tensor, images: Tensor, num_images: int) -> Tensor:
    r"""Compare the maps of the classes over the sites of each image (after CAT-KD; Guo et al., CVPR 2023).

    .. math:: D_n = \frac{R_i}{C} \sum_{c=1}^{C} \Bigl(\frac{z^S_{nc}}{\lVert z^S_{\cdot c} \rVert_i}
        - \frac{z^T_{nc}}{\lVert z^T_{\cdot c} \rVert_i}\Bigr)^2, \qquad
        \lVert z_{\cdot c} \rVert_i^2 = \sum_{m:\, \mathrm{image}(m) = i} z_{mc}^2

    for a site of image :math:`i` with :math:`R_i` sites. A class activation map is the classifier applied at each
    position instead of to their mean. A detector's classifier is applied at its sites anyway, so a class's map is its
    score at the sites of an image. The mean over the sites of an image is the squared distance of the normalised maps,
    averaged over the classes: ``R_i`` times what the published code computes with its normalisation and without its
    pooling.

    Args:
        student_logits: The student's class scores, ``(R, C)``.
        teacher_logits: The teacher's, ``(R, C)``; no gradient reaches them.
        images: Index of each site's image, ``(R,)``.
        num_images: Number of images in the batch.

    Returns:
        ``(R,)``, float32 or better; the sites of an image depend on each other.

    Raises:
        ConfigError: If shapes or devices differ.

    Example:
        >>> import torch
        >>> student, teacher = torch.tensor([[3.0], [0.0]]), torch.tensor([[0.0], [5.0]])
        >>> cat_divergence(student, teacher, torch.tensor([0, 0]), 1)
        tensor([2., 2.])
    """
    student, teacher = check_pair(student_logits, teacher_logits, columns=1)
    if images.shape != student.shape[:1]:
        raise ConfigError(f'images: expected one for each of {len(student)} sites, but got shape {tuple(images.shape)}')
    counts = student.new_zeros(num_images).index_add(0, images, student.new_ones(len(student)))
    difference = _maps(student, images, num_images) - _maps(teacher, images, num_images)
    return difference.square().mean(dim=1) * counts[images]


def _maps(logits: Tensor, images: Tensor, num_images: int) -> Tensor:
    """Return the scores divided by their norm over the sites of the image, ``(R, C)``."""
    squares = logits.new_zeros(num_images, logits.shape[1]).index_add(0, images, logits.square())
    return logits / squares.clamp(min=_EPSILON**2).sqrt()[images]
