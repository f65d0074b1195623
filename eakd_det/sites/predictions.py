"""What is known of the sites of a step: where they are, and what a network predicts there.

Letters: ``N`` sites in the batch, ``C`` columns of class scores, ``K`` classes of objects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from torch import Tensor

from eakd_det.functional import InnerMaps

HeadPredictor: TypeAlias = Callable[[Sequence[Tensor] | InnerMaps], tuple[Tensor, Tensor | None]]
"""A head as a function of features at fixed sites: neck levels, or maps inside the head -> logits, boxes."""


@dataclass(frozen=True)
class Wanted:
    """What is read of a prediction beside its logits.

    Attributes:
        embeddings: The input of the classifier. Defaults to False.
        boxes: Boxes. A head may leave them out otherwise. Defaults to True.
        after: Number of convolutions of a dense head after which its maps are read. Defaults to 0: they are not.
    """

    embeddings: bool = False
    boxes: bool = True
    after: int = 0


WANTED = Wanted()


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
        inner: Maps inside the head of a student, with gradient; of a teacher, their moments. None if no loss reads
            them.
    """

    logits: Tensor
    boxes: Tensor | None = None
    embeddings: Tensor | None = None
    corners: Tensor | None = None
    inner: InnerMaps | None = None

    def detach(self) -> Prediction:
        """Return the prediction without its graph and inner maps."""
        boxes, embeddings, corners = (
            None if part is None else part.detach() for part in (self.boxes, self.embeddings, self.corners)
        )
        return Prediction(self.logits.detach(), boxes, embeddings, corners)


class Watched:
    """The sites of one loss and the head's prediction there, with gradient; both are set once the loss has run."""

    sites: Sites
    prediction: Prediction

    @property
    def is_empty(self) -> bool:
        """Whether no loss has run."""
        return not hasattr(self, 'sites')
