"""The proposals of one training step, as student and teacher see them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from torch import Tensor

BoxPredictor: TypeAlias = Callable[[Sequence[Tensor]], tuple[Tensor, Tensor]]
"""What a box head says of the step's proposals on other features: neck levels -> logits, box deltas."""


@dataclass(frozen=True)
class ProposalOutputs:
    """What one box head says of ``R`` proposals.

    Attributes:
        logits: Class scores before softmax, ``(R, C)``, background last.
        embeddings: Input of the classifier, ``(R, D)``, or None if nobody asked for it.
        deltas: Box deltas in the student's units, ``(R, 4)`` or ``(R, 4 (C - 1))``, or None if nobody asked.
        predict: The same box head asked about the same proposals on other features, with gradient to these.
    """

    logits: Tensor
    embeddings: Tensor | None = None
    deltas: Tensor | None = None
    predict: BoxPredictor | None = None


@dataclass(frozen=True)
class SampledProposals:
    """The proposals that the student's own RoI loss was computed on, and what its box head said of them.

    Rows go image by image, positives before negatives, as MMDetection samples them.

    Attributes:
        rois: Boxes ``(R, 5)``: image index in the batch, then x1, y1, x2, y2 in pixels of the network input.
        labels: Assigned class of each proposal, ``(R,)``; background is ``C - 1``.
        outputs: The student's logits (with gradient) and embeddings.
    """

    rois: Tensor
    labels: Tensor
    outputs: ProposalOutputs
