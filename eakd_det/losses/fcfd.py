"""Function-consistent feature distillation: features match if the other network's head predicts the same from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from eakd_det.arguments import Count, NotNegative, Positive, checked
from eakd_det.errors import ConfigError
from eakd_det.functional import hcl_divergence, kd_divergence, mse_divergence
from eakd_det.losses import records
from eakd_det.losses.base import ProposalLoss
from eakd_det.losses.feature_bridges import FeatureBridges

Predictor = Callable[[Sequence[Tensor]], tuple[Tensor, Tensor]]


class FCFDLoss(ProposalLoss):
    r"""Function-consistent feature distillation on sites (FCFD; Liu et al., ICLR 2023).

    Bridges :math:`B_{st}` and :math:`B_{ts}` convert the student's pyramid :math:`F^S` to the teacher's width and vice
    versa. Three predictions at each site are compared with the teacher's: s, the student's own; st, the *teacher's*
    head on :math:`B_{st}(F^S)`; ts, the *student's* head on :math:`B_{ts}(F^T)`:

    .. math::
        L = \lambda \Bigl[ \frac{1}{R} \sum_{n=1}^{R} w_n \sum_{k \in \{s, st, ts\}} \bigl(
            \mathrm{KD}(z^k_n, z^T_n) + \lambda_{box}\, \mathrm{MSE}(d^k_n, d^T_n) \bigr)
        + \frac{\lambda_{app}}{N} \sum_{i=1}^{N} w_i \sum_l \mathrm{MSE}\bigl(B_{st}(F^S)_{l,i}, F^T_{l,i}\bigr) \Bigr]

    Gradients pass through the teacher's frozen head to the bridge and the student. The bridges are trained with the
    student and discarded with the loss. This is the detection code's loss, without the classification code's random
    mixed paths.

    With ``weighting=dict(type='eakd_det.EntropyWeighting')`` this is EA-FCFD: one weight from the s logits for all
    three paths, as in the published golden case, and for the features the mean over each image's sites, as in
    EA-ReviewKD. The papers have no COCO result of it.

    Args:
        student_channels: Width of the student's pyramid.
        teacher_channels: Width of the teacher's.
        num_levels: Number of levels whose features are compared, from the finest; 5 is P2 to P6.
        roi_levels: Number of levels that the box heads read. Only these get a bridge from teacher to student: no loss
            would reach the others (the published code has one for P6 as well).
        tau: Temperature of the divergence.
        box_weight: :math:`\lambda_{box}`; 0 leaves the boxes out.
        feature_weight: :math:`\lambda_{app}`.
        weigh_boxes: Whether the weighting applies to the boxes.
        weigh_features: Whether the weighting applies to the features.
        **kwargs: ``weighting``, ``reduction`` ('mean' or 'sum' over sites), ``loss_weight`` of :class:`ProposalLoss`.

    Raises:
        ConfigError: If an argument is out of range; in use, if an argument is missing or invalid.

    Example:
        >>> loss = FCFDLoss(student_channels=8, teacher_channels=16, weighting=dict(type='EntropyWeighting'))
        >>> len(loss.to_teacher.levels), len(loss.to_student.levels)
        (5, 4)
    """

    reads: ClassVar[dict[str, str]] = records.pairs(
        preds=records.LOGITS, features=records.NECK, predict=records.PREDICTOR, deltas=records.BOXES
    ) | {'images': records.IMAGES}

    @checked
    def __init__(
        self,
        student_channels: Count = 256,
        teacher_channels: Count = 256,
        num_levels: Count = 5,
        roi_levels: Count = 4,
        tau: Positive = 1.0,
        box_weight: NotNegative = 1.0,
        feature_weight: NotNegative = 1.0,
        weigh_boxes: bool = True,
        weigh_features: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if self.reduction == 'none':
            raise ConfigError("FCFDLoss.reduction: expected one of mean, sum, but got 'none'")
        if roi_levels > num_levels:
            raise ConfigError(
                f'FCFDLoss.roi_levels: expected 1 to num_levels ({num_levels}) levels, but got {roi_levels}'
            )
        self.to_teacher = FeatureBridges(student_channels, teacher_channels, num_levels)
        self.to_student = FeatureBridges(teacher_channels, student_channels, roi_levels)
        self.tau = tau
        self.box_weight = box_weight
        self.feature_weight = feature_weight
        self.weigh_boxes = weigh_boxes
        self.weigh_features = weigh_features

    def divergence(
        self,
        weights: Tensor,
        preds_S: Tensor,
        preds_T: Tensor,
        features_S: Sequence[Tensor],
        features_T: Sequence[Tensor],
        predict_S: Predictor,
        predict_T: Predictor,
        deltas_S: Tensor | None = None,
        deltas_T: Tensor | None = None,
        images: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Compute the divergence of each site, ``(N,)``, and the term of the features, a scalar.

        Args:
            weights: Weights of the sites, ``(N,)``, from which those of the features are computed.
            preds_S: The student's class scores, ``(N, C)``.
            preds_T: The teacher's, ``(N, C)``.
            features_S: The student's levels, fine to coarse, each ``(I, D_S, H_l, W_l)``.
            features_T: The teacher's, each ``(I, D_T, H_l, W_l)``.
            predict_S: The student's box head as a function from levels to logits and deltas of the same sites.
            predict_T: The teacher's.
            deltas_S: The student's box deltas, ``(N, 4)`` or ``(N, 4 K)``; not needed for ``box_weight=0``.
            deltas_T: The teacher's.
            images: The image of each site, ``(N,)``; needed to weigh features.
        """
        features_T = [level.detach() for level in features_T]
        as_teacher = self._bridge(self.to_teacher, features_S, 'features_S')
        as_student = self._bridge(self.to_student, features_T, 'features_T')
        paths = [(preds_S, deltas_S), predict_T(as_teacher), predict_S(as_student)]
        divergence = _sum(kd_divergence(logits, preds_T, self.tau) for logits, _ in paths)
        # Without pooling, the hierarchical context loss is each image's mean squared error.
        features = _sum(hcl_divergence(*pair, ()) for pair in zip(as_teacher, features_T, strict=False))
        weighed = features
        if self.weigh_features:
            given = dict(preds_S=preds_S, preds_T=preds_T, weights=weights)
            weighed = features * self.image_weights(features, given if images is None else dict(given, images=images))
        extra = self.feature_weight * weighed.mean()
        if self.box_weight:
            boxes = self.box_weight * _sum(_box_divergence(deltas, deltas_T) for _, deltas in paths)
            if self.weigh_boxes:
                divergence = divergence + boxes
            else:
                extra = extra + boxes.sum() / (max(len(boxes), 1) if self.reduction == 'mean' else 1)
        return divergence, extra

    @staticmethod
    def _bridge(bridges: FeatureBridges, features: Sequence[Tensor], key: str) -> list[Tensor]:
        wanted, width = len(bridges.levels), bridges.in_channels
        if len(features) < wanted or features[0].shape[1] != width:
            raise ConfigError(
                f'FCFDLoss: expected {wanted} levels of {width} channels in {key} (num_levels, roi_levels, '
                f'student_channels, teacher_channels), but got {len(features)} of {features[0].shape[1]}'
            )
        return bridges(features)


def _sum(values: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(values)).sum(dim=0)


def _box_divergence(student: Tensor | None, teacher: Tensor | None) -> Tensor:
    if student is None or teacher is None or student.shape != teacher.shape:
        shapes = [None if deltas is None else tuple(deltas.shape) for deltas in (student, teacher)]
        raise ConfigError(
            'FCFDLoss.box_weight: expected box deltas of the same shape from student and teacher '
            f'(roi_head.bbox_head.reg_class_agnostic), but got {shapes[0]} and {shapes[1]}; '
            'set box_weight=0 to leave the boxes out'
        )
    return mse_divergence(student, teacher)
