"""The seam between distillation and detectors: sites, predictions at sites, and the head that makes them.

Letters: ``N`` sites in the batch, ``C`` columns of class scores, ``K`` classes of objects.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

from mmdet.models import BaseDetector
from torch import Tensor, nn

from eakd_det.sites.predicted_boxes import PredictsBoxes
from eakd_det.sites.scores import ClassGroups, Scores

Side = Literal['student', 'teacher']
MODEL_KEYS: dict[Side, str] = {'student': 'model.architecture', 'teacher': 'model.teacher'}
HeadPredictor: TypeAlias = Callable[[Sequence[Tensor]], tuple[Tensor, Tensor | None]]
"""A head as a function of features at fixed sites: neck levels -> logits, boxes."""


@dataclass(frozen=True)
class Sites:
    """The ``N`` places where the student's loss was computed.

    Attributes:
        image: Index of each site's image in the batch, ``(N,)``.
        label: Class that the student's loss assigned to each site, ``(N,)``. Its value where there is no object depends
            on the head.
        is_object: Whether an object was assigned to the site, ``(N,)``, bool.
        where: The places, in a form that only their head reads.
        copies: How often the student's features have each image: more than once for the branches of a TridentNet, one
            after another. A head with other features predicts at the place in the one image. Defaults to 1.
    """

    image: Tensor
    label: Tensor
    is_object: Tensor
    where: Any
    copies: int = 1

    def __len__(self) -> int:
        return len(self.label)

    @property
    def num_objects(self) -> Tensor:
        """Number of sites with an object, a scalar on the device."""
        return self.is_object.sum()


@dataclass(frozen=True)
class Prediction:
    """The prediction of one network at ``N`` sites.

    Attributes:
        logits: Class scores before softmax or sigmoid, ``(N, C)``.
        boxes: Box regression in the student's units: ``(N, 4)``, ``(N, 4 K)`` for a box of each class, or
            ``(N, 4, bins)`` for distributions; None if no loss reads it.
        embeddings: Input of the classifier, ``(N, D)``; None if no loss reads it.
        corners: Predicted boxes, ``(N, 4)``: x1, y1, x2, y2 from the centre of the box of the student's site, in units
            of its width and height; None if no loss reads them.
    """

    logits: Tensor
    boxes: Tensor | None = None
    embeddings: Tensor | None = None
    corners: Tensor | None = None

    def detach(self) -> Prediction:
        """Return the prediction without its graph."""
        parts = (self.logits, self.boxes, self.embeddings, self.corners)
        return Prediction(*(None if part is None else part.detach() for part in parts))  # type: ignore[arg-type]


class Watched:
    """The sites of one loss and the head's prediction there, with gradient; both are set once the loss has run."""

    sites: Sites
    prediction: Prediction

    @property
    def is_empty(self) -> bool:
        """Whether no loss has run."""
        return not hasattr(self, 'sites')


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

    def prepare(self) -> None:
        """Make the head run under mixed precision and in any memory layout."""

    @abstractmethod
    def watch(self, embeddings: bool = False, boxes: bool = True) -> AbstractContextManager[Watched]:
        """Return a context that records the sites of the detector's loss and the prediction there.

        The head runs once, inside the detector's own code, and its results do not change.

        Args:
            embeddings: Whether to record the input of the classifier.
            boxes: Whether to record the boxes.

        Raises:
            ConfigError: On exit, if no site was recorded.
        """

    @abstractmethod
    def predict(self, features: Sequence[Tensor], sites: Sites, embeddings: bool = False) -> Prediction:
        """Predict at ``sites``, which may be another detector's, from any neck levels, fine to coarse.

        Gradients reach ``features``. Boxes are in the head's own units.
        """

    def begin(
        self, features: Sequence[Tensor], embeddings: bool = False, boxes: bool = True
    ) -> Callable[[Sites], Prediction]:
        """Compute what does not depend on the sites; the returned function is the rest of :meth:`predict`.

        ``boxes`` is whether they will be read: a head may leave them out otherwise.
        """
        return lambda sites: self.predict(features, sites, embeddings)

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

        def predict(features: Sequence[Tensor]) -> tuple[Tensor, Tensor | None]:
            prediction = self.predict(features, sites)
            return prediction.logits, prediction.boxes

        return predict


class Translation(nn.Module, ABC):
    """Translates a teacher's prediction to the student's classes and box units, differentiably."""

    @abstractmethod
    def forward(self, prediction: Prediction) -> Prediction:
        """Translate logits, and boxes if there are any; embeddings do not change."""
