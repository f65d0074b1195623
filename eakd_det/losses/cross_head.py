"""The teacher's head on the student's features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from eakd_det.arguments import Count, CountOrZero, NotNegative, checked
from eakd_det.errors import ConfigError
from eakd_det.functional import InnerMaps, mse_divergence
from eakd_det.functional._inputs import to_float
from eakd_det.losses import records
from eakd_det.losses.feature_bridges import FeatureBridges
from eakd_det.losses.kd import KDLoss

Predictor = Callable[[Sequence[Tensor] | InnerMaps], tuple[Tensor, Tensor | None]]


class CrossHeadLoss(KDLoss):
    r"""KD between the teacher's head on the student's pyramid and on its own (after CrossKD; Wang et al., CVPR 2024).

    .. math:: L = \lambda \cdot \operatorname{reduce}_n\; w_n\,
        \mathrm{KD}\bigl(h^T(B(F^S))_n,\; h^T(F^T)_n\bigr)

    Gradients pass through the teacher's frozen head to the student's neck and backbone; the student's head gets none
    and follows the ground truth alone, so the two targets do not contradict each other there. The weighting sees the
    plain predictions of both.

    With ``after=3, focal_beta=1.0, reduction='objects'`` it is CrossKD, which crosses over inside a dense head: the
    student's maps after the third convolution of each stack are rescaled to the teacher's mean and deviation in each
    channel (:func:`eakd_det.functional.match_moments`) and go through what is left of the teacher's head; the first
    three convolutions of the student's head then learn as well. The maps are those after the activation: the published
    code means to rescale before it, but its activations work in place. ``after=0`` crosses before the head, which every
    head allows, and rescales nothing.

    With ``squared=True, feature_weight=1.0`` it is SRRL (Yang et al., ICLR 2021), whose teacher's classifier reads the
    student's bridged features: the class scores are compared by their mean squared error, and, in the published code's
    reading of the feature loss, so are the means of the channels over each level:

    .. math:: \lambda\, \lambda_f \cdot \frac{1}{I} \sum_{i=1}^{I} \sum_l \frac{1}{D}
        \bigl\lVert \overline{B(F^S)}_{l,i} - \overline{F^T}_{l,i} \bigr\rVert^2

    SRRL's bridge is a 1 x 1 convolution, BatchNorm and ReLU in front of the classifier; here the whole head is reused,
    and pyramid levels have negative values.

    Args:
        after: Number of convolutions that the student's own head does, for dense heads with ``cls_convs`` and
            ``reg_convs`` of the same width on both sides. Defaults to 0.
        student_channels: Width of the student's pyramid, for a bridge :math:`B` (a 3 x 3 convolution and BatchNorm for
            each level, trained with the student) to the teacher's. Defaults to None: no bridge, the widths are equal.
        teacher_channels: Width of the teacher's. Defaults to None.
        num_levels: Number of levels that get a bridge. Defaults to 5.
        squared: Compare the class scores by their mean squared error instead of KD. Defaults to False.
        feature_weight: Weight :math:`\lambda_f` of the features. Defaults to 0.0: they are not compared.
        **kwargs: As in :class:`KDLoss`; ``sites`` must be 'all'.

    Raises:
        ConfigError: If an argument is out of range; in use, if the widths do not fit.

    Example:
        >>> loss = CrossHeadLoss(student_channels=8, teacher_channels=16, weighting=dict(type='EntropyWeighting'))
        >>> len(loss.bridges.levels)
        5
    """

    reads: ClassVar[dict[str, str]] = {
        **records.pairs(preds=records.LOGITS),
        **records.pairs(features=records.NECK),
        **records.pairs(inner=records.INNER),
        'predict_T': records.PREDICTOR,
        'images': records.IMAGES,
        'objects': records.OBJECTS,
    }

    @checked
    def __init__(
        self,
        after: CountOrZero = 0,
        student_channels: Count | None = None,
        teacher_channels: Count | None = None,
        num_levels: Count = 5,
        squared: bool = False,
        feature_weight: NotNegative = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if self.sites != 'all':
            raise ConfigError(
                f"CrossHeadLoss.sites: expected 'all', because the head runs on all, but got {self.sites!r}"
            )
        if (student_channels is None) != (teacher_channels is None):
            raise ConfigError(
                'CrossHeadLoss: expected both student_channels and teacher_channels or none of them, '
                f'but got {student_channels} and {teacher_channels}'
            )
        if feature_weight and self.reduction == 'none':
            raise ConfigError(
                "CrossHeadLoss.reduction: expected mean, sum or objects with a feature_weight, but got 'none'"
            )
        if after and (student_channels is not None or feature_weight):
            raise ConfigError(
                f'CrossHeadLoss.after: expected 0 with bridges or a feature_weight, which are of the pyramid, '
                f'but got {after}'
            )
        self._leave_unread(*(f'{"features" if after else "inner"}_{side}' for side in 'ST'))
        self.after = after
        self.squared = squared
        self.feature_weight = feature_weight
        self.bridges: FeatureBridges | None = None
        if student_channels is not None and teacher_channels is not None:
            self.bridges = FeatureBridges(student_channels, teacher_channels, num_levels)

    def divergence(  # type: ignore[override]
        self,
        preds_T: Tensor,
        predict_T: Predictor,
        features_S: Sequence[Tensor] | None = None,
        features_T: Sequence[Tensor] | None = None,
        inner_S: InnerMaps | None = None,
        inner_T: InnerMaps | None = None,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Compute the divergence of each site, ``(N,)``, or of each sigmoid score, ``(N, C)``, and of the features.

        Args:
            preds_T: The teacher's class scores, ``(N, C)``.
            predict_T: The teacher's head as a function from levels, or inner maps, to the logits and boxes of the same
                sites.
            features_S: The student's levels, fine to coarse; needed for ``after=0``.
            features_T: The teacher's levels; needed for ``feature_weight``.
            inner_S: The student's maps; needed otherwise.
            inner_T: The moments of the teacher's, likewise.

        Raises:
            ConfigError: If the teacher's head does not take the features.
        """
        features: Sequence[Tensor] = ()
        if self.after:
            self._check_present(dict(inner_S=inner_S, inner_T=inner_T), ('inner_S', 'inner_T'), ' for after')
            crossed, _ = predict_T(cast(InnerMaps, inner_S).matched(cast(InnerMaps, inner_T)))
        else:
            self._check_present(dict(features_S=features_S), ('features_S',))
            features, crossed = self._cross(features_S or (), predict_T)
        divergence = mse_divergence(crossed, preds_T) if self.squared else super().divergence(crossed, preds_T)
        if not self.feature_weight:
            return divergence
        self._check_present(dict(features_T=features_T), ('features_T',), ' for feature_weight')
        gaps = [_mean_gap(*levels) for levels in zip(features, features_T or (), strict=False)]
        return divergence, self.feature_weight * torch.stack(gaps).sum()

    def _cross(self, levels: Sequence[Tensor], predict_T: Predictor) -> tuple[Sequence[Tensor], Tensor]:
        """Return the bridged levels and the teacher's class scores there."""
        try:
            features = levels if self.bridges is None else self.bridges(levels)
            return features, predict_T(features)[0]
        except RuntimeError as error:
            raise ConfigError(
                'CrossHeadLoss.student_channels: expected features that the teacher reads, but got '
                f'{levels[0].shape[1]} channels ({str(error).splitlines()[0]}); set student_channels and '
                'teacher_channels where the widths of the pyramids differ'
            ) from error


def _mean_gap(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean squared difference of the channels' means over a level, a scalar."""
    return mse_divergence(*(to_float(level).mean(dim=(2, 3)) for level in (student, teacher))).mean()
