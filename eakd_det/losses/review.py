"""ReviewKD on the levels of a feature pyramid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from eakd_det.errors import ConfigError, require_count
from eakd_det.functional import hcl_divergence
from eakd_det.losses.base import ProposalLoss, ProposalTerms
from eakd_det.losses.review_fusion import ReviewFusion
from eakd_det.weighting import UniformWeighting, image_weights


class ReviewKDLoss(ProposalLoss):
    r"""Hierarchical context loss of fused pyramid levels (ReviewKD; Chen et al., CVPR 2021).

    .. math:: L = \lambda \cdot \frac{1}{N} \sum_{i=1}^{N} w_i \sum_{l} \mathrm{HCL}(o_{l,i}, t_{l,i})

    with the student's levels after fusion :math:`o_l` (:class:`eakd_det.losses.review_fusion.ReviewFusion`), the
    teacher's :math:`t_l`, and :func:`eakd_det.functional.hcl_divergence`. The fusion modules are trained with the
    student and thrown away with the loss.

    With ``weighting=dict(type='eakd_det.EntropyWeighting')`` this is EA-ReviewKD. An image has no class distribution
    in a detector, and the papers have no such COCO result; the weight :math:`w_i` is the mean over the image's
    proposals, which is our reading. ``normalize=True`` of the weighting makes the proposals' mean 1.

    Args:
        student_channels: Width of the student's levels. Defaults to 256.
        teacher_channels: Width of the teacher's. Defaults to 256.
        mid_channels: Width inside the fusion. Defaults to 256.
        num_levels: Number of levels, from the finest. Defaults to 5, which is P2 to P6.
        pool_sizes: Sizes of the pooled maps. Defaults to (4, 2, 1).
        **kwargs: ``weighting``, ``reduction``, ``loss_weight`` of :class:`ProposalLoss`, with images in the place of
            proposals. The published weights for COCO are 1.2 (R-18), 1.0 (R-50) and 2.0 (MobileNetV2).

    Raises:
        ConfigError: In use, if levels are missing or do not fit, or weights are asked for without logits.

    Example:
        >>> import torch
        >>> loss = ReviewKDLoss(8, 16, mid_channels=4, num_levels=1)
        >>> loss(features_S=[torch.randn(2, 8, 6, 9)], features_T=[torch.randn(2, 16, 6, 9)]).shape
        torch.Size([])
    """

    default_mapping: ClassVar[dict[str, dict[str, Any]]] = {
        'preds_S': dict(recorder='proposal_logits', from_student=True),
        'preds_T': dict(recorder='proposal_logits', from_student=False),
        'images': dict(recorder='proposal_images', from_student=True),
        'features_S': dict(recorder='neck_features', from_student=True),
        'features_T': dict(recorder='neck_features', from_student=False),
    }

    def __init__(
        self,
        student_channels: int = 256,
        teacher_channels: int = 256,
        mid_channels: int = 256,
        num_levels: int = 5,
        pool_sizes: Sequence[int] = (4, 2, 1),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        widths = dict(
            student_channels=student_channels,
            teacher_channels=teacher_channels,
            mid_channels=mid_channels,
            num_levels=num_levels,
        )
        for key, value in widths.items():
            require_count(f'{type(self).__name__}.{key}', value)
        self.fusion = ReviewFusion(student_channels, teacher_channels, mid_channels, num_levels)
        self.pool_sizes = tuple(require_count(f'{type(self).__name__}.pool_sizes', size) for size in pool_sizes)

    def terms(
        self,
        preds_S: Tensor | None = None,
        preds_T: Tensor | None = None,
        gt_labels: Tensor | None = None,
        features_S: Sequence[Tensor] | None = None,
        features_T: Sequence[Tensor] | None = None,
        images: Tensor | None = None,
    ) -> ProposalTerms:
        """Divergence and weight of each image.

        Args:
            preds_S: The student's class scores, ``(R, C)``, for the weighting. Defaults to None.
            preds_T: The teacher's, ``(R, C)``. Defaults to None.
            gt_labels: Not used. Defaults to None.
            features_S: The student's levels, fine to coarse, each ``(N, D_S, H_l, W_l)``.
            features_T: The teacher's, each ``(N, D_T, H_l, W_l)``.
            images: The image of each proposal, ``(R,)``, for the weighting. Defaults to None.

        Raises:
            ConfigError: If levels are missing or do not fit, or weights are asked for without logits.
        """
        student, teacher = self._levels('features_S', features_S), self._levels('features_T', features_T)
        fused = self.fusion(student)
        levels = [hcl_divergence(*maps, self.pool_sizes) for maps in zip(fused, teacher, strict=True)]
        divergence = torch.stack(levels).sum(dim=0)
        return ProposalTerms(divergence, self._image_weights(divergence, preds_S, preds_T, images), unit='image')

    def _levels(self, key: str, features: Sequence[Tensor] | None) -> Sequence[Tensor]:
        wanted = len(self.fusion.levels)
        if features is None or isinstance(features, Tensor) or len(features) < wanted:
            got = 'none' if features is None else type(features).__name__
            got = got if features is None or isinstance(features, Tensor) else f'{len(features)}'
            raise ConfigError(
                f'{type(self).__name__}.num_levels: expected {wanted} pyramid levels in {key}, but got {got}'
            )
        return features[:wanted]

    def _image_weights(
        self, divergence: Tensor, preds_S: Tensor | None, preds_T: Tensor | None, images: Tensor | None
    ) -> Tensor:
        if isinstance(self.weighting, UniformWeighting):
            return torch.ones_like(divergence)
        if preds_S is None or preds_T is None or images is None:
            raise ConfigError(
                f'{type(self).__name__}: expected preds_S, preds_T and images for its weighting, but got none; '
                'add them to its loss_forward_mappings'
            )
        return image_weights(self.weighting(preds_S, preds_T), images, len(divergence))

    def forward(
        self,
        preds_S: Tensor | None = None,
        preds_T: Tensor | None = None,
        gt_labels: Tensor | None = None,
        features_S: Sequence[Tensor] | None = None,
        features_T: Sequence[Tensor] | None = None,
        images: Tensor | None = None,
    ) -> Tensor:
        """The loss; arguments as in :meth:`terms`."""
        return self.reduce(self.terms(preds_S, preds_T, gt_labels, features_S, features_T, images))
