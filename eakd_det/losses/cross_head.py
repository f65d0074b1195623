"""The teacher's head on the student's features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from eakd_det.arguments import Count, NotNegative, checked
from eakd_det.errors import ConfigError
from eakd_det.functional import mse_divergence
from eakd_det.functional._inputs import to_float
from eakd_det.losses import records
from eakd_det.losses.feature_bridges import FeatureBridges
from eakd_det.losses.kd import KDLoss

Predictor = Callable[[Sequence[Tensor]], tuple[Tensor, Tensor | None]]


class CrossHeadLoss(KDLoss):
    r"""KD between the teacher's head on the student's pyramid and on its own (after CrossKD; Wang et al., CVPR 2024).

    .. math:: L = \lambda \cdot \operatorname{reduce}_n\; w_n\,
        \mathrm{KD}\bigl(h^T(B(F^S))_n,\; h^T(F^T)_n\bigr)

    Gradients pass through the teacher's frozen head to the student's neck and backbone; the student's head gets none
    and follows the ground truth alone, so the two targets do not contradict each other there. CrossKD crosses over
    inside the head, after its third convolution, and compares by a quality focal loss; this crosses before the head,
    which every head allows, and compares by KD. The weighting sees the plain predictions of both.

    With ``squared=True, feature_weight=1.0`` it is SRRL (Yang et al., ICLR 2021), whose teacher's classifier reads the
    student's bridged features: the class scores are compared by their mean squared error, and, in the published code's
    reading of the feature loss, so are the means of the channels over each level:

    .. math:: \lambda\, \lambda_f \cdot \frac{1}{I} \sum_{i=1}^{I} \sum_l \frac{1}{D}
        \bigl\lVert \overline{B(F^S)}_{l,i} - \overline{F^T}_{l,i} \bigr\rVert^2

    SRRL's bridge is a 1 x 1 convolution, BatchNorm and ReLU in front of the classifier; here the whole head is reused,
    and pyramid levels have negative values.

    Args:
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
        'predict_T': records.PREDICTOR,
        'images': records.IMAGES,
        'objects': records.OBJECTS,
    }

    @checked
    def __init__(
        self,
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
        self.squared = squared
        self.feature_weight = feature_weight
        self.bridges: FeatureBridges | None = None
        if student_channels is not None and teacher_channels is not None:
            self.bridges = FeatureBridges(student_channels, teacher_channels, num_levels)

    def divergence(  # type: ignore[override]
        self,
        preds_T: Tensor,
        features_S: Sequence[Tensor],
        predict_T: Predictor,
        features_T: Sequence[Tensor] | None = None,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Compute the divergence of each site, ``(N,)``, or of each sigmoid score, ``(N, C)``, and of the features.

        Args:
            preds_T: The teacher's class scores, ``(N, C)``.
            features_S: The student's levels, fine to coarse.
            predict_T: The teacher's head as a function from levels to the logits and boxes of the same sites.
            features_T: The teacher's levels; needed for ``feature_weight``.

        Raises:
            ConfigError: If the teacher's head does not take the features.
        """
        try:
            features = features_S if self.bridges is None else self.bridges(features_S)
            crossed, _ = predict_T(features)
        except RuntimeError as error:
            raise ConfigError(
                'CrossHeadLoss.student_channels: expected features that the teacher reads, but got '
                f'{features_S[0].shape[1]} channels ({str(error).splitlines()[0]}); set student_channels and '
                'teacher_channels where the widths of the pyramids differ'
            ) from error
        divergence = mse_divergence(crossed, preds_T) if self.squared else super().divergence(crossed, preds_T)
        if not self.feature_weight:
            return divergence
        self._check_present(dict(features_T=features_T), ('features_T',), ' for feature_weight')
        gaps = [_mean_gap(*levels) for levels in zip(features, features_T or (), strict=False)]
        return divergence, self.feature_weight * torch.stack(gaps).sum()


def _mean_gap(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean squared difference of the channels' means over a level, a scalar."""
    return mse_divergence(*(to_float(level).mean(dim=(2, 3)) for level in (student, teacher))).mean()
