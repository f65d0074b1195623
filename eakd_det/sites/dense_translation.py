"""From a dense teacher's prediction to the student's classes."""

from __future__ import annotations

from dataclasses import replace

from eakd_det.errors import ConfigError
from eakd_det.sites.base import Prediction, SiteHead, Translation
from eakd_det.sites.scores import ClassGroups, ClassTranslation


class DenseTranslation(Translation):
    """Translates a teacher's class logits as :class:`ClassTranslation` does, and boxes not at all.

    Args:
        teacher: The teacher's head.
        student: The student's.
        groups: Which classes stand for which; None if both have the same.
    """

    def __init__(self, teacher: SiteHead, student: SiteHead, groups: ClassGroups | None) -> None:
        super().__init__()
        self.classes = None if groups is None else ClassTranslation(teacher.scores, groups)
        self._heads = _described(student), _described(teacher)

    def forward(self, prediction: Prediction) -> Prediction:
        """Translate the logits.

        Raises:
            ConfigError: If there are boxes, and the heads are of different types.
        """
        (student_key, student), (teacher_key, teacher) = self._heads
        if prediction.boxes is not None and student != teacher:
            raise ConfigError(
                f'{teacher_key}.type: expected {student}, as the student ({student_key}) is, for a loss that compares '
                f'boxes, but got {teacher}, whose boxes have other units'
            )
        if self.classes is None:
            return prediction
        return replace(prediction, logits=self.classes(prediction.logits))


def _described(head: SiteHead) -> tuple[str, str]:
    """Return its config key and its type."""
    return head.key, type(head.detector.get_submodule(head.name)).__name__
