"""ReviewKD on the levels of a feature pyramid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from eakd_det.arguments import Count, checked
from eakd_det.functional import hcl_divergence
from eakd_det.losses.pyramid import PyramidLoss
from eakd_det.losses.review_fusion import ReviewFusion


class ReviewKDLoss(PyramidLoss):
    r"""Hierarchical context loss of fused pyramid levels (ReviewKD; Chen et al., CVPR 2021).

    .. math:: L = \lambda \cdot \frac{1}{N} \sum_{i=1}^{N} w_i \sum_{l} \mathrm{HCL}(o_{l,i}, t_{l,i})

    with the student's levels after fusion :math:`o_l` (:class:`eakd_det.losses.review_fusion.ReviewFusion`), the
    teacher's :math:`t_l`, and :func:`eakd_det.functional.hcl_divergence`. The fusion modules are trained with the
    student and discarded with the loss.

    With ``weighting=dict(type='eakd_det.EntropyWeighting')`` this is EA-ReviewKD. An image has no class distribution
    in a detector, and the papers have no such COCO result; as this package reads it, :math:`w_i` is the mean over the
    image's sites. ``normalize=True`` of the weighting makes the sites' mean 1.

    Args:
        student_channels: Width of the student's levels.
        teacher_channels: Width of the teacher's.
        mid_channels: Width inside the fusion.
        num_levels: Number of levels, from the finest; 5 is P2 to P6.
        pool_sizes: Sizes of the pooled maps.
        **kwargs: ``weighting``, ``reduction`` (over images), ``loss_weight`` of :class:`ProposalLoss`. The published
            weights for COCO are 1.2 (R-18), 1.0 (R-50) and 2.0 (MobileNetV2).

    Raises:
        ConfigError: In use, if levels are missing or invalid, or a weighting needs logits and gets none.

    Example:
        >>> import torch
        >>> loss = ReviewKDLoss(8, 16, mid_channels=4, num_levels=1)
        >>> loss(features_S=[torch.randn(2, 8, 6, 9)], features_T=[torch.randn(2, 16, 6, 9)]).shape
        torch.Size([])
    """

    @checked
    def __init__(
        self,
        student_channels: Count = 256,
        teacher_channels: Count = 256,
        mid_channels: Count = 256,
        num_levels: Count = 5,
        pool_sizes: Sequence[Count] = (4, 2, 1),
        **kwargs: Any,
    ) -> None:
        super().__init__(num_levels, **kwargs)
        self.fusion = ReviewFusion(student_channels, teacher_channels, mid_channels, num_levels)
        self.pool_sizes = tuple(pool_sizes)

    def converted(self, levels: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return the fused levels, in the teacher's width."""
        return self.fusion(levels)

    def level_divergence(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Compute the hierarchical context loss of each image, ``(N,)``."""
        return hcl_divergence(student, teacher, self.pool_sizes)
