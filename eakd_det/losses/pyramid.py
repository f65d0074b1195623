"""The base of losses that compare pyramid levels one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from eakd_det.activation import Activation
from eakd_det.arguments import Count, checked
from eakd_det.errors import ConfigError
from eakd_det.losses import records
from eakd_det.losses.base import ProposalLoss, Unit
from eakd_det.losses.feature_bridges import FeatureBridges

Side = Literal['student', 'teacher']


class PyramidLoss(ProposalLoss):
    r"""A divergence of each image's pyramid levels; subclasses implement :meth:`level_divergence`.

    .. math:: L = \lambda \cdot \frac{1}{N} \sum_{i=1}^{N} w_i \sum_{l} D(s_{l,i}, t_{l,i})

    Args:
        num_levels: Number of levels, from the finest. Defaults to 4: P2 to P5.
        **kwargs: ``weighting`` (the weight of an image is the mean over its sites), ``reduction`` (over images),
            ``loss_weight`` of :class:`ProposalLoss`.

    Raises:
        ConfigError: If an argument is out of range; in use, if levels are missing or do not fit.
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
        levels = zip(*self.compared(features_S, features_T), strict=True)
        return torch.stack([self.level_divergence(*maps) for maps in levels]).sum(dim=0)

    def compared(
        self, features_S: Sequence[Tensor], features_T: Sequence[Tensor]
    ) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        """Return the levels of both that are compared, the student's converted."""
        student, teacher = self._levels('features_S', features_S), self._levels('features_T', features_T)
        return self.converted(student), teacher

    def _levels(self, argument: str, levels: Sequence[Tensor]) -> Sequence[Tensor]:
        if isinstance(levels, Tensor) or len(levels) < self.num_levels:
            got = 'a tensor' if isinstance(levels, Tensor) else len(levels)
            raise ConfigError(
                f'{type(self).__name__}.num_levels: expected {self.num_levels} pyramid levels in {argument}, '
                f'but got {got}'
            )
        return levels[: self.num_levels]

    def converted(self, levels: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return the student's levels as they are compared."""
        return levels

    def check_width(self, levels: Sequence[Tensor], side: Side, width: int) -> None:
        """Raise :class:`ConfigError` unless ``levels`` are ``width`` wide, as the argument of that side says."""
        if levels[0].shape[1] != width:
            raise ConfigError(
                f"{type(self).__name__}.{side}_channels: expected the width of the {side}'s levels, "
                f'{levels[0].shape[1]}, but got {width}'
            )

    def level_divergence(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Compute the divergence of each image, ``(N,)``, from one level of both."""
        raise NotImplementedError


class BridgedPyramidLoss(PyramidLoss):
    """A loss of the student's levels after a 1 x 1 convolution and BatchNorm, which are trained with the student.

    Args:
        student_channels: Width of the student's levels. Defaults to 256.
        teacher_channels: Width of the teacher's. Defaults to 256.
        num_levels: Number of levels, from the finest. Defaults to 4: P2 to P5.
        **kwargs: ``weighting`` (the weight of an image is the mean over its sites), ``reduction`` (over images),
            ``loss_weight`` of :class:`ProposalLoss`.

    Raises:
        ConfigError: If an argument is out of range; in use, if levels are missing or do not fit.
    """

    @checked
    def __init__(
        self, student_channels: Count = 256, teacher_channels: Count = 256, num_levels: Count = 4, **kwargs: Any
    ) -> None:
        super().__init__(num_levels, **kwargs)
        self.bridges = FeatureBridges(student_channels, teacher_channels, num_levels, kernel_size=1)

    def converted(self, levels: Sequence[Tensor]) -> Sequence[Tensor]:
        """Return the levels in the teacher's width."""
        self.check_width(levels, 'student', self.bridges.in_channels)
        return self.bridges(levels)
