"""Make the student's training step cheaper, without changing what it computes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mmdet.models import BaseDetector

from eakd_det.arguments import from_option_dict
from eakd_det.models.memory_layout import prefers_channels_first, train_channels_last


@dataclass(frozen=True)
class StudentOptions:
    """How the student runs while it trains; its parameters and checkpoints stay as MMDetection has them.

    Attributes:
        channels_last: Run backbone, neck and heads on channels-last memory while they train: the same values, summed
            up in another order, so that losses and gradients equal MMDetection's to rounding (about 1e-5) and no
            longer to the bit. Defaults to None: on a CPU, for batches of 131,072 pixels or more, where it gained; not
            if a recorder looks at feature maps or the student has deformable convolutions, which cannot read that
            layout.

    Example:
        >>> StudentOptions.from_config(dict(channels_last=False))
        StudentOptions(channels_last=False)
    """

    channels_last: bool | None = None

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
