"""PKD on the levels of a feature pyramid."""

from __future__ import annotations

from torch import Tensor

from eakd_det.errors import ConfigError
from eakd_det.functional import pkd_divergence
from eakd_det.losses.pyramid import PyramidLoss
from eakd_det.selection import select_elements


class PKDLoss(PyramidLoss):
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
        >>> import torch
        >>> maps = torch.randn(2, 16, 6, 9)
        >>> PKDLoss(num_levels=1)(features_S=[3 * maps[:, ::2] + 1], features_T=[maps]) < 1e-5
        tensor(True)
    """

    def level_divergence(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Compute PKD of each image, ``(N,)``."""
        if teacher.shape[1] < student.shape[1]:
            raise ConfigError(
                f'PKDLoss: expected a teacher with at least the {student.shape[1]} channels of the student, '
                f'but got {teacher.shape[1]}'
            )
        return pkd_divergence(student, select_elements(teacher, student.shape[1], 1))
