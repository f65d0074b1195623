"""Weights of images from the weights of their sites, and of sites from those of their parts."""

from __future__ import annotations

import torch
from torch import Tensor

from eakd_det.errors import ConfigError


def image_weights(weights: Tensor, images: Tensor, num_images: int) -> Tensor:
    r"""Compute the mean weight of each image's sites.

    .. math:: w_i = \frac{1}{R_i} \sum_{n:\, \mathrm{image}(n) = i} w_n

    A feature map has no class distribution, so EA's weight of an image comes from the predictions at its sites. An
    image without sites gets the mean over all sites of the batch; in a batch without sites each image gets 1.

    Args:
        weights: Weights of the sites, ``(R,)``.
        images: Index of each site's image in the batch, ``(R,)``, or RoIs, ``(R, 5)``, with the index in their first
            column.
        num_images: Number of images in the batch, ``N``.

    Returns:
        Weights of the images, ``(N,)``, without gradient.

    Raises:
        ConfigError: If ``images`` and ``weights`` differ in length, or (checked on the CPU) an index is out of range.

    Example:
        >>> import torch
        >>> image_weights(torch.tensor([1.0, 3.0, 5.0]), torch.tensor([0, 0, 2]), 3)
        tensor([2., 3., 5.])
    """
    weights, images = weights.detach(), image_index(images)
    if images.shape != weights.shape:
        raise ConfigError(
            f'images: expected the image of each of {len(weights)} sites, but got shape {tuple(images.shape)}; '
            'read logits and images of the same sites'
        )
    if images.device.type == 'cpu' and len(images) and not 0 <= int(images.min()) <= int(images.max()) < num_images:
        raise ConfigError(
            f'images: expected indices from 0 to {num_images - 1}, one for each feature map of the batch, '
            f'but got {int(images.min())} to {int(images.max())}'
        )
    zeros = weights.new_zeros(num_images)
    counts = zeros.index_add(0, images, torch.ones_like(weights))
    sums = zeros.index_add(0, images, weights)
    neutral = weights.mean() if len(weights) else weights.new_ones(())
    return torch.where(counts > 0, sums / counts.clamp(min=1), neutral)


def site_weights(weights: Tensor) -> Tensor:
    """Return the weight of each site, ``(R,)``: the mean where its parts have weights of their own, ``(R, M)``.

    Example:
        >>> import torch
        >>> site_weights(torch.tensor([[1.0, 3.0], [4.0, 4.0]]))
        tensor([2., 4.])
    """
    return weights if weights.dim() == 1 else weights.mean(dim=1)


def image_index(images: Tensor) -> Tensor:
    """Return the image index of each site, ``(R,)``, from such indices or from RoIs ``(R, 5)``.

    Example:
        >>> import torch
        >>> image_index(torch.tensor([[1.0, 0.0, 0.0, 9.0, 9.0]]))
        tensor([1])
    """
    return (images[:, 0] if images.dim() == 2 else images).long()
