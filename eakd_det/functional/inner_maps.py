"""Maps inside a dense head, and their scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import batch_norm

from eakd_det.errors import ConfigError


class InnerMaps(NamedTuple):
    """What comes out of one convolution in each of a head's two stacks, activated.

    Attributes:
        after: Number of convolutions that the maps have passed.
        classes: Of the stack for classes: the map of each level, ``(B, D, H, W)``, or its moments, ``(2, D)``.
        boxes: Of the stack for boxes, likewise.
    """

    after: int
    classes: Sequence[Tensor]
    boxes: Sequence[Tensor]

    def moments(self) -> InnerMaps:
        """Return mean and standard deviation of each channel instead of the maps."""
        return InnerMaps(self.after, *([channel_moments(level) for level in levels] for levels in self[1:]))

    def matched(self, moments: InnerMaps) -> InnerMaps:
        """Return the maps with other ``moments``, as :func:`match_moments` does, differentiably."""
        branches = zip(self[1:], moments[1:], strict=True)
        return InnerMaps(self.after, *([match_moments(*pair) for pair in zip(*both, strict=True)] for both in branches))


def channel_moments(features: Tensor) -> Tensor:
    """Return mean and (unbiased) standard deviation of each channel, ``(2, D)``, of a map ``(B, D, H, W)``.

    The deviation of a single value is 0.

    Example:
        >>> channel_moments(torch.tensor([1.0, 3.0]).view(1, 1, 1, 2))
        tensor([[2.0000],
                [1.4142]])
    """
    channels = features.transpose(0, 1).flatten(1)
    deviation = channels.std(dim=1) if channels.shape[1] > 1 else channels.new_zeros(len(channels))
    return torch.stack([channels.mean(dim=1), deviation])


def match_moments(features: Tensor, moments: Tensor, eps: float = 1e-6) -> Tensor:
    r"""Rescale each channel to another mean and standard deviation (CrossKD; Wang et al., CVPR 2024, its code).

    .. math:: y_d = \frac{x_d - \mu_d}{\sigma_d} \sigma'_d + \mu'_d

    Where :math:`\sigma_d` is near 0 it counts as ``eps``.

    Args:
        features: A map, ``(B, D, H, W)``; its gradient passes through its own moments.
        moments: The means and standard deviations to reach, ``(2, D)``, as from :func:`channel_moments`.
        eps: The smallest deviation. Defaults to 1e-6.

    Raises:
        ConfigError: If the number of channels differs.

    Example:
        >>> match_moments(torch.tensor([1.0, 3.0]).view(1, 1, 1, 2), torch.tensor([[5.0], [1.4142]])).flatten().round()
        tensor([4., 6.])
    """
    if moments.shape != (2, features.shape[1]):
        raise ConfigError(f'match_moments.moments: expected (2, {features.shape[1]}), but got {tuple(moments.shape)}')
    mean, deviation = moments.detach().to(features.dtype)
    count = features.numel() // max(features.shape[1], 1)
    if count < 2:
        return features * 0 + mean.view(-1, 1, 1)
    # It normalises by the biased deviation, which is smaller.
    scale = deviation * ((count - 1) / count) ** 0.5
    return batch_norm(features, None, None, weight=scale, bias=mean, training=True, eps=eps**2)
