"""PKD on the levels of a feature pyramid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from eakd_det.activation import Activation
from eakd_det.arguments import Count, checked
from eakd_det.errors import ConfigError
from eakd_det.functional import pkd_divergence
from eakd_det.losses import records
from eakd_det.losses.base import ProposalLoss, Unit
from eakd_det.selection import select_elements


class PKDLoss(ProposalLoss):
    r"""Pearson correlation of pyramid levels (PKD; Cao et al., NeurIPS 2022).

    .. math:: L = \lambda \cdot \frac{1}{N} \sum_{i=1}^{N} w_i \sum_{l} D(s_{l,i}, t_{l,i})

    with :math:`D` from :func:`eakd_det.functional.pkd_divergence`. With equal weights this is MMRazor's ``PKDLoss`` on
    each level. There are no trained modules: a teacher with more channels is compared by evenly spaced ones
    (:func:`eakd_det.selection.select_elements`), those that a student inherits.

    Args:
        num_levels: Number of levels, from the finest; 4 is P2 to P5, as published.
        **kwargs: ``weighting`` (the weight of an image is the mean over its sites), ``reduction`` (over images),
            ``loss_weight`` of :class:`ProposalLoss`. 6 is published for two-stage detectors.

    Raises:
        ConfigError: In use, if levels are missing or the student has more channels than the teacher.

    Example:
        >>> maps = torch.randn(2, 16, 6, 9)
        >>> PKDLoss(num_levels=1)(features_S=[3 * maps[:, ::2] + 1], features_T=[maps]) < 1e-5
        tensor(True)
    """

    reads: ClassVar[dict[str, str]] = records.pairs(features=records.NECK, preds=records.LOGITS) | {
        'images': records.IMAGES
    }
    unit: ClassVar[Unit] = 'image'

    @checked
    def __init__(self, num_levels: Count = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_levels = num_levels

    def why_not(self, activation: Activation) -> str | None:
        """Accept: class scores are only weighed."""
        return None

    def divergence(self, features_S: Sequence[Tensor], features_T: Sequence[Tensor]) -> Tensor:
        """Compute the divergence of each image, ``(N,)``, from levels ``(N, D_S, H, W)`` and ``(N, D_T, H, W)``."""
        count = self.num_levels
        if min(len(features_S), len(features_T)) < count:
            raise ConfigError(
                f'PKDLoss.num_levels: expected at most the {min(len(features_S), len(features_T))} pyramid levels of '
                f'both detectors, but got {count}'
            )
        pairs = zip(features_S[:count], features_T[:count], strict=True)
        return torch.stack([self._of_level(student, teacher) for student, teacher in pairs]).sum(dim=0)

    def _of_level(self, student: Tensor, teacher: Tensor) -> Tensor:
        if teacher.shape[1] < student.shape[1]:
            raise ConfigError(
                f'PKDLoss: expected a teacher with at least the {student.shape[1]} channels of the student, '
                f'but got {teacher.shape[1]}'
            )
        return pkd_divergence(student, select_elements(teacher, student.shape[1], 1))
