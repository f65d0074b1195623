"""FitNet, AT and OFD on the levels of a feature pyramid."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from eakd_det.arguments import AtLeastOne, Count, checked
from eakd_det.functional import at_divergence, hcl_divergence, ofd_divergence
from eakd_det.losses.pyramid import BridgedPyramidLoss, PyramidLoss


class FitNetLoss(BridgedPyramidLoss):
    r"""Mean squared error of pyramid levels (FitNets; Romero et al., ICLR 2015).

    .. math:: L = \lambda \cdot \frac{1}{N} \sum_{i=1}^{N} w_i \sum_{l} \frac{1}{D H_l W_l}
        \lVert r_l(s_{l,i}) - t_{l,i} \rVert^2

    with a regressor :math:`r_l` for each level: a 1 x 1 convolution and BatchNorm. The published regressor ends in a
    ReLU, because it meets maps after one; pyramid levels have negative values. The paper compares one layer, in a stage
    before the others; here all levels are compared during the whole training. On embeddings of sites the same loss is
    :class:`EmbeddingLoss`.

    Arguments and errors are those of :class:`eakd_det.losses.pyramid.BridgedPyramidLoss`.

    Example:
        >>> import torch
        >>> loss = FitNetLoss(8, 16, num_levels=1)
        >>> loss(features_S=[torch.randn(2, 8, 6, 9)], features_T=[torch.randn(2, 16, 6, 9)]).shape
        torch.Size([])
    """

    def level_divergence(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Compute the mean squared error of each image, ``(N,)``."""
        return hcl_divergence(student, teacher, pool_sizes=())


class ATLoss(PyramidLoss):
    r"""Attention transfer on pyramid levels, see :func:`eakd_det.functional.at_divergence`.

    .. math:: L = \lambda \cdot \frac{1}{N} \sum_{i=1}^{N} w_i \sum_{l} D^{\mathrm{AT}}(s_{l,i}, t_{l,i})

    There are no trained modules, and the widths of the pyramids may differ. The published weight, 1000 times a mean
    over the positions of maps of 32 x 32, 16 x 16 and 8 x 8, is 1, 4 and 16 times this distance.

    Args:
        power: Exponent of the activations. Defaults to 2.0, as published.
        num_levels: Number of levels, from the finest. Defaults to 4: P2 to P5.
        **kwargs: ``weighting``, ``reduction`` (over images), ``loss_weight`` of :class:`ProposalLoss`.

    Raises:
        ConfigError: If an argument is out of range; in use, if levels are missing or do not fit.

    Example:
        >>> import torch
        >>> maps = torch.randn(2, 16, 6, 9)
        >>> ATLoss(num_levels=1)(features_S=[3 * maps], features_T=[maps]) < 1e-6
        tensor(True)
    """

    @checked
    def __init__(self, power: AtLeastOne = 2.0, num_levels: Count = 4, **kwargs: Any) -> None:
        super().__init__(num_levels, **kwargs)
        self.power = power

    def level_divergence(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Compute the distance of the attention maps of each image, ``(N,)``."""
        return at_divergence(student, teacher, self.power)


class OFDLoss(BridgedPyramidLoss):
    r"""Partial squared distance of pyramid levels, see :func:`eakd_det.functional.ofd_divergence`.

    .. math:: L = \lambda \cdot \frac{1}{N} \sum_{i=1}^{N} w_i \sum_{l} D^{\mathrm{OFD}}(r_l(s_{l,i}), t_{l,i})

    with the published connector :math:`r_l`, a 1 x 1 convolution and BatchNorm. The method is made for maps before a
    ReLU. No ReLU follows a level of an FPN, so that what it leaves out is not without use there: a reading of this
    package. The margins are the means of the teacher's negative responses in the batch.

    Arguments and errors are those of :class:`eakd_det.losses.pyramid.BridgedPyramidLoss`.

    Example:
        >>> import torch
        >>> loss = OFDLoss(8, 16, num_levels=1)
        >>> loss(features_S=[torch.randn(2, 8, 6, 9)], features_T=[torch.randn(2, 16, 6, 9)]).shape
        torch.Size([])
    """

    def level_divergence(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Compute the partial distance of each image, ``(N,)``."""
        return ofd_divergence(student, teacher)
