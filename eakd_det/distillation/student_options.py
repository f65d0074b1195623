"""Make the student's training step cheaper, without changing what it computes."""

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
    """How the student runs while it trains; its parameters and checkpoints stay as MMDetection has them.

    Attributes:
        channels_last: Run backbone, neck and heads on channels-last memory while they train: the same values, summed
            up in another order, so that losses and gradients equal MMDetection's to rounding (about 1e-5) and no
            longer to the bit. Defaults to None: on a CPU, for batches of 131,072 pixels or more, where it gained; not
            if a recorder looks at feature maps or the student has deformable convolutions, which cannot read that
            layout.

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
        """Options from ``model.student_options``.

        Raises:
            ConfigError: If a key is unknown or a value has another type.
        """
        return from_option_dict(cls, cfg, 'model.student_options')

    def prepare(self, student: BaseDetector, recorded: Iterable[str] = ()) -> None:
        """Apply to ``student`` in place, with recorders on the sources ``recorded``."""
        if self.channels_last or (self.channels_last is None and not prefers_channels_first(student, recorded)):
            train_channels_last(student, self.channels_last)
        if self.winograd:
            use_winograd(student)
