"""Meaning of the columns of class scores: a softmax with background, or sigmoids without.

Letters: ``N`` sites, ``K`` classes of objects, ``C`` columns of the logits, ``tau`` a temperature.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from eakd_det.activation import Activation
from eakd_det.functional import binary_entropy, entropy
from eakd_det.functional._inputs import to_float


class ClassGroups(NamedTuple):
    """Correspondence of a teacher's classes to the student's.

    Attributes:
        members: For each class of the student, the indices of the teacher's classes.
        background: Indices of the teacher's classes that are background to the student.
    """

    members: Sequence[Sequence[int]]
    background: Sequence[int] = ()


@dataclass(frozen=True)
class Scores(ABC):
    """The columns of class scores ``(N, C)``; the first ``num_classes`` are classes of objects."""

    num_classes: int

    activation: ClassVar[Activation]

    @property
    @abstractmethod
    def background(self) -> int | None:
        """Index of the background column, or None if there is none."""

    @property
    @abstractmethod
    def max_entropy(self) -> float:
        """The largest value of :meth:`entropy`, in nats."""

    @abstractmethod
    def entropy(self, logits: Tensor, tau: float = 1.0) -> Tensor:
        """Return the entropy of each site's scores at temperature ``tau``, ``(N,)``, in nats."""

    @abstractmethod
    def merge(self, members: Tensor, background: Tensor) -> Tensor:
        """Return the logits of merged classes, ``(N, C)``, in the columns of this kind of scores.

        Args:
            members: Logits of the members of each class, ``(N, K, width)``, padded with -inf.
            background: Logits of the classes that count as background, ``(N, B)``.
        """

    @property
    def num_columns(self) -> int:
        """The number of columns ``C``."""
        return self.num_classes + (self.background is not None)


@dataclass(frozen=True)
class SoftmaxScores(Scores):
    """A softmax over ``K`` classes of objects and, in the last column, background.

    Example:
        >>> scores = SoftmaxScores(3)
        >>> scores.background, scores.num_columns, round(scores.max_entropy, 4)
        (3, 4, 1.3863)
    """

    activation: ClassVar[Activation] = 'softmax'

    @property
    def background(self) -> int:
        """The last column."""
        return self.num_classes

    @property
    def max_entropy(self) -> float:
        """``log C``."""
        return math.log(self.num_columns)

    def entropy(self, logits: Tensor, tau: float = 1.0) -> Tensor:
        """See :func:`eakd_det.functional.entropy`."""
        return entropy(logits, tau)

    def merge(self, members: Tensor, background: Tensor) -> Tensor:
        r"""Add up probabilities: :math:`z_c = \log \sum_k e^{z_k}` over the members, background alike."""
        return torch.cat([_logsumexp(members), _logsumexp(background.unsqueeze(1))], dim=1)


@dataclass(frozen=True)
class SigmoidScores(Scores):
    r"""A sigmoid for each of ``K`` classes of objects and no background: a site without an object has low scores.

    Each score is a softmax over two and has its own entropy; their mean is the site's:

    .. math:: H_n = \frac{1}{K} \sum_c h(z_{nc}), \qquad
        h(z) = -p \log p - (1 - p) \log (1 - p), \quad p = \sigma(z / \tau)

    Example:
        >>> scores = SigmoidScores(3)
        >>> scores.background, scores.num_columns, round(scores.max_entropy, 4)
        (None, 3, 0.6931)
    """

    activation: ClassVar[Activation] = 'sigmoid'

    @property
    def background(self) -> None:
        """There is none."""
        return None

    @property
    def max_entropy(self) -> float:
        """``log 2``."""
        return math.log(2)

    def entropy(self, logits: Tensor, tau: float = 1.0) -> Tensor:
        """Return the mean of :func:`eakd_det.functional.binary_entropy` over the classes, ``(N,)``."""
        return binary_entropy(logits, tau).mean(dim=1)

    def merge(self, members: Tensor, background: Tensor) -> Tensor:
        r"""Return the score of *any of the members*, as independent events: :math:`1 - p_c = \prod_k (1 - p_k)`.

        Background has no column, so its classes are dropped.
        """
        merged, *others = members.unbind(dim=2)
        for other in others:  # odds multiply out: (1 + e^a)(1 + e^b) - 1 = e^a + e^b + e^(a + b)
            merged, other = to_float(merged), to_float(other)
            merged = torch.stack([merged, other, merged + other]).logsumexp(dim=0)
        return merged


class ClassTranslation(nn.Module):
    """Translates class logits by :class:`ClassGroups`, differentiably.

    Args:
        scores: Meaning of the teacher's columns; the student's is the same.
        groups: Correspondence of the classes.

    Example:
        >>> translate = ClassTranslation(SoftmaxScores(3), ClassGroups(members=((2,), (0,)), background=(1,)))
        >>> translate(torch.tensor([[0.1, 0.2, 0.3, 0.0]]).log()).exp()
        tensor([[0.3000, 0.1000, 0.2000]])
    """

    members: Tensor
    background: Tensor

    def __init__(self, scores: Scores, groups: ClassGroups) -> None:
        super().__init__()
        self.scores = scores
        width = max(len(group) for group in groups.members)
        # Short groups are padded with the index of a column that is appended.
        padded = [[*group, *[scores.num_columns] * (width - len(group))] for group in groups.members]
        self.register_buffer('members', torch.tensor(padded), persistent=False)
        rest = [*groups.background, *([] if scores.background is None else [scores.background])]
        self.register_buffer('background', torch.tensor(rest, dtype=torch.long), persistent=False)

    def forward(self, logits: Tensor) -> Tensor:
        """Translate logits ``(N, C)`` of the teacher into the student's columns."""
        return self.scores.merge(self.member_logits(logits), logits[:, self.background])

    def member_logits(self, logits: Tensor) -> Tensor:
        """Return the logits of the members of each class, ``(N, K, width)``, padded with -inf."""
        padded = torch.cat([logits, logits.new_full((len(logits), 1), float('-inf'))], dim=1)
        return padded[:, self.members]


def _logsumexp(groups: Tensor) -> Tensor:
    """Reduce the last dimension, to ``(N, K)``; a single member does not change, not even by rounding."""
    return groups.squeeze(2) if groups.shape[2] == 1 else to_float(groups).logsumexp(dim=2)
