"""The seam between distillation and detectors: sites, what a network predicts there, and the head that does so.

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

from eakd_det.sites.scores import ClassGroups, Scores

Side = Literal['student', 'teacher']
MODEL_KEYS: dict[Side, str] = {'student': 'model.architecture', 'teacher': 'model.teacher'}
HeadPredictor: TypeAlias = Callable[[Sequence[Tensor]], tuple[Tensor, Tensor | None]]
"""A head as a function of other features, at the sites of the step: neck levels -> logits, boxes."""


@dataclass(frozen=True)
class Sites:
    """The ``N`` places where the student's loss was computed.

    Attributes:
        image: Index of each site's image in the batch, ``(N,)``.
        label: Class that the student's loss assigned to each site, ``(N,)``. Where there is no object the head decides
            what it is; read :attr:`is_object`.
        is_object: Whether an object was assigned to the site, ``(N,)``, bool.
        where: Where the sites are, in a form that only their head reads.
    """

    image: Tensor
    label: Tensor
    is_object: Tensor
    where: Any

    def __len__(self) -> int:
        return len(self.label)

    @property
    def num_objects(self) -> Tensor:
        """Number of sites with an object, a scalar on their device."""
        return self.is_object.sum()


@dataclass(frozen=True)
class Prediction:
    """What one network predicts at ``N`` sites.

    Attributes:
        logits: Class scores before softmax or sigmoid, ``(N, C)``.
        boxes: What the head regresses, in the student's units: ``(N, 4)``, ``(N, 4 K)`` for boxes of each class, or
            ``(N, 4, bins)`` for distributions. None if nothing reads it.
        embeddings: Input of the classifier, ``(N, D)``, or None if nothing reads it.
    """

    logits: Tensor
    boxes: Tensor | None = None
    embeddings: Tensor | None = None

    def detach(self) -> Prediction:
        """Return the prediction without its graph."""
        parts = (self.logits, self.boxes, self.embeddings)
        return Prediction(*(None if part is None else part.detach() for part in parts))  # type: ignore[arg-type]


class Watched:
    """What :meth:`SiteHead.watch` saw of one loss. Both attributes are set once the loss has run.

    Attributes:
        sites: Where the loss was computed.
        prediction: What the head predicted there, with gradient.
    """

    sites: Sites
    prediction: Prediction

    @property
    def is_empty(self) -> bool:
        """Whether no loss was seen."""
        return not hasattr(self, 'sites')


class SiteHead(ABC):
    """The head of one detector at which it is distilled. A new kind of head is one subclass, named in ``HEADS``.

    Args:
        detector: The detector; the head is looked up in it each time and never copied.
        side: Which side it is on; messages name the config keys of that side.
        stage: Which of several heads in a row, of a cascade or a decoder. Defaults to -1, the last.

    Attributes:
        kind: What the detectors of this kind are called, for messages.
    """

    kind: ClassVar[str]

    def __init__(self, detector: BaseDetector, side: Side = 'student', stage: int = -1) -> None:
        self.detector = detector
        self.side = side
        self.stage = stage

    @classmethod
    @abstractmethod
    def supports(cls, detector: nn.Module) -> bool:
        """Whether ``detector`` is of this kind. :meth:`problem` tells whether it can be distilled as well."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Dotted name of the head's module in the detector, such as 'roi_head.bbox_head'."""

    @property
    @abstractmethod
    def scores(self) -> Scores:
        """What the columns of its logits mean."""

    @abstractmethod
    def problem(self) -> str | None:
        """Return why this detector cannot be distilled, in one line that begins with a config key, or None."""

    def why_not(self, teacher: SiteHead, same_classes: bool = True) -> str | None:
        """Return why ``teacher`` cannot teach this head, in one line that names both sides, or None.

        Args:
            teacher: The teacher's head.
            same_classes: Whether both must have the same classes; False if a class map translates them.
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

    def prepare(self) -> None:  # noqa: B027 - most heads need nothing
        """Change in the detector what keeps the head from running under mixed precision or in any memory layout."""

    @abstractmethod
    def watch(self, embeddings: bool = False) -> AbstractContextManager[Watched]:
        """Return a context in which the detector's loss shows its sites and what it predicts there.

        The head runs once, inside the detector's own code, whose results stay what they are.

        Args:
            embeddings: Whether to keep the input of the classifier.

        Raises:
            ConfigError: At the end, if a loss ran and no site was seen.
        """

    @abstractmethod
    def predict(self, features: Sequence[Tensor], sites: Sites, embeddings: bool = False) -> Prediction:
        """Run this head at ``sites``, which may be another detector's, on any neck levels, fine to coarse.

        Gradients reach ``features``. The boxes are in the head's own units.
        """

    @abstractmethod
    def translation_to(self, student: SiteHead, groups: ClassGroups | None) -> Translation:
        """Return what turns this head's predictions into the classes and box units of ``student``.

        Args:
            student: The student's head, for which :meth:`why_not` found nothing.
            groups: Which of this head's classes stand for which; None if both have the same.
        """

    @abstractmethod
    def boxes(self, sites: Sites) -> Tensor:
        """Return the box of each site, ``(N, 4)``: x1, y1, x2, y2 in pixels of the network's input, for pictures."""

    @abstractmethod
    def free_unused(self) -> None:
        """Drop from the detector what :meth:`predict` does not need; it can no longer detect or train."""

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
    """Turns a teacher's prediction into the student's classes and box units, differentiably."""

    @abstractmethod
    def forward(self, prediction: Prediction) -> Prediction:
        """Translate logits, and boxes if there are any; embeddings stay what they are."""
