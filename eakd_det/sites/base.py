"""The seam between distillation and detectors: the head that predicts at sites.

Letters: ``N`` sites in the batch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import ClassVar, Literal

from mmdet.models import BaseDetector
from torch import Tensor, nn

from eakd_det.functional import InnerMaps
from eakd_det.sites.predicted_boxes import PredictsBoxes
from eakd_det.sites.predictions import WANTED, HeadPredictor, Prediction, Sites, Wanted, Watched
from eakd_det.sites.scores import ClassGroups, Scores

Side = Literal['student', 'teacher']
MODEL_KEYS: dict[Side, str] = {'student': 'model.architecture', 'teacher': 'model.teacher'}


class SiteHead(PredictsBoxes):
    """The head at which a detector is distilled. A new kind of head is one subclass, listed in ``HEADS``.

    Args:
        detector: The detector; the head is looked up in it at each use.
        side: 'student' or 'teacher'; messages name the config keys of that side.
        stage: Index of the head in a cascade or decoder; -1 is the last.

    Attributes:
        kind: Name of the detectors of this kind, for messages.
    """

    kind: ClassVar[str]

    def __init__(self, detector: BaseDetector, side: Side = 'student', stage: int = -1) -> None:
        self.detector = detector
        self.side = side
        self.stage = stage

    @classmethod
    @abstractmethod
    def supports(cls, detector: nn.Module) -> bool:
        """Return whether ``detector`` is of this kind. :meth:`problem` reports whether it can be distilled."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of the head's module in the detector, such as 'roi_head.bbox_head'."""

    @property
    @abstractmethod
    def scores(self) -> Scores:
        """Meaning of the columns of its logits."""

    @abstractmethod
    def problem(self) -> str | None:
        """Return why this detector cannot be distilled, in one line that begins with a config key, or None."""

    def why_not(self, teacher: SiteHead, same_classes: bool = True) -> str | None:
        """Return why ``teacher`` cannot teach this head, in one line that names both sides, or None.

        ``same_classes`` is False where a class map translates the teacher's classes.
        """
        if type(self) is not type(teacher):
            return (
                f'{teacher.key}: expected {self.kind}, as the student ({self.key}) is, '
                f'but got {type(teacher.detector).__name__}, {teacher.kind}'
            )
        student_scores, teacher_scores = self.scores, teacher.scores
        if type(student_scores) is not type(teacher_scores):
            return (
                f'{teacher.key}: expected {student_scores.activation} scores, as the student ({self.key}) has, '
                f'but got {teacher_scores.activation} scores'
            )
        if same_classes and student_scores.num_classes != teacher_scores.num_classes:
            return (
                f'{self.key}.num_classes: student and teacher must have the same classes unless model.class_map '
                f'translates them, but the student has num_classes {student_scores.num_classes} '
                f'and the teacher ({teacher.key}) has {teacher_scores.num_classes}'
            )
        return None

    def why_no_embeddings(self) -> str | None:
        """Return why it has no input of a classifier to compare, in one line that begins with a config key, or None."""
        return None

    def why_not_after(self, teacher: SiteHead, after: int) -> str | None:
        """Return why its maps after ``after`` convolutions cannot enter ``teacher``, as :meth:`why_not`, or None."""
        return f'{self.key}: expected a dense head, for a loss with after={after}, but got {self.kind}'

    def prepare(self) -> None:
        """Make the head run under mixed precision and in any memory layout."""

    @abstractmethod
    def watch(self, wanted: Wanted = WANTED) -> AbstractContextManager[Watched]:
        """Return a context that records the sites of the detector's loss and the prediction there.

        The head runs once, inside the detector's own code, and its results do not change.

        Args:
            wanted: What to record.

        Raises:
            ConfigError: On exit, if no site was recorded.
        """

    @abstractmethod
    def predict(self, features: Sequence[Tensor] | InnerMaps, sites: Sites, wanted: Wanted = WANTED) -> Prediction:
        """Predict at ``sites``, which may be another detector's, from any neck levels, fine to coarse.

        A dense head goes on with inner maps as well. Gradients reach ``features``. Boxes are in the head's own units.
        """

    def begin(self, features: Sequence[Tensor] | InnerMaps, wanted: Wanted = WANTED) -> Callable[[Sites], Prediction]:
        """Compute what does not depend on the sites; the returned function is the rest of :meth:`predict`."""
        return lambda sites: self.predict(features, sites, wanted)

    @abstractmethod
    def translation_to(self, student: SiteHead, groups: ClassGroups | None) -> Translation:
        """Return the translation of this head's predictions to the classes and box units of ``student``.

        Args:
            student: The student's head, for which :meth:`why_not` returned None.
            groups: Correspondence of the classes; None if both have the same.
        """

    @abstractmethod
    def boxes(self, sites: Sites) -> Tensor:
        """Return the box of each site, ``(N, 4)``: x1, y1, x2, y2 in pixels of the network's input."""

    @abstractmethod
    def free_unused(self) -> None:
        """Remove the parts that :meth:`predict` does not need; the detector can no longer detect or train."""

    @property
    def key(self) -> str:
        """Config key of the head."""
        return f'{MODEL_KEYS[self.side]}.{self.name}'

    def predictor(self, sites: Sites) -> HeadPredictor:
        """Return the head as a function of features at ``sites``."""

        def predict(features: Sequence[Tensor] | InnerMaps) -> tuple[Tensor, Tensor | None]:
            prediction = self.predict(features, sites)
            return prediction.logits, prediction.boxes

        return predict


class Translation(nn.Module, ABC):
    """Translates a teacher's prediction to the student's classes and box units, differentiably."""

    @abstractmethod
    def forward(self, prediction: Prediction) -> Prediction:
        """Translate logits, and boxes if there are any; embeddings do not change."""
