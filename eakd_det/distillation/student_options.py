"""Options that make the student's training step cheaper without changing its results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mmdet.models import BaseDetector

from eakd_det.arguments import from_option_dict
from eakd_det.models.memory_layout import prefers_channels_first, train_channels_last
from eakd_det.models.winograd import use_winograd


@dataclass(frozen=True)
class StudentOptions:
    """Options of the student in training; its parameters and checkpoints are those of MMDetection.

    Attributes:
        channels_last: Run backbone, neck and heads on channels-last memory in training. Sums run in another order, so
            that losses and gradients equal MMDetection's to rounding (about 1e-5), not to the bit. None does so on a
            CPU with AVX-512, for batches of 131,072 pixels or more, unless a recorder records feature maps or the
            student has deformable convolutions, which cannot read that layout. Other CPUs train more slowly on it.

        winograd: Compute the widest 3 x 3 convolutions (256 channels or more, as in FPN and RPN) by Winograd's minimal
            filtering on a CPU, see :func:`eakd_det.models.winograd.winograd_conv3x3`: faster on large maps, outputs
            within about 1e-5 of the largest. Defaults to False.

    Example:
        >>> StudentOptions.from_config(dict(channels_last=False))
        StudentOptions(channels_last=False, winograd=False)
    """

    channels_last: bool | None = None
    winograd: bool = False

    @classmethod
    def from_config(cls, cfg: dict[str, Any] | None) -> StudentOptions:
        """Return the options in ``model.student_options``; an invalid one is a :class:`ConfigError`."""
        return from_option_dict(cls, cfg, 'model.student_options')

    def prepare(self, student: BaseDetector, recorded: Iterable[str] = ()) -> None:
        """Apply the options to ``student`` in place; ``recorded`` are the sources of its recorders."""
        if self.channels_last or (self.channels_last is None and not prefers_channels_first(student, recorded)):
            train_channels_last(student, self.channels_last)
        if self.winograd:
            use_winograd(student)
