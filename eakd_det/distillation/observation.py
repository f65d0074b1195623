"""The data of one step, for hooks and analyses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from eakd_det.losses import Terms
from eakd_det.sites import Prediction, Scores, SiteHead, Sites


@dataclass(frozen=True)
class Step:
    """The sites of one step and both predictions there.

    Attributes:
        head: The student's head.
        sites: The sites of its loss.
        student: The student's prediction.
        teacher: The teacher's prediction, in the student's classes.
        gt_boxes: The annotated boxes of each image, ``(G, 4)`` each: x1, y1, x2, y2 in pixels of the network's input.
        input_size: Height and width of that input, in pixels, padding included.
    """

    head: SiteHead
    sites: Sites
    student: Prediction
    teacher: Prediction
    gt_boxes: Sequence[Tensor] = ()
    input_size: tuple[int, int] = (0, 0)

    @property
    def scores(self) -> Scores:
        """Meaning of the columns of the logits."""
        return self.head.scores

    @property
    def boxes(self) -> Tensor:
        """The box of each site, ``(N, 4)``, in pixels of the network's input."""
        return self.head.boxes(self.sites)

    @cached_property
    def valuable(self) -> Tensor:
        """IoU of each site with the object in whose valuable region it lies, ``(N,)``; 0 outside."""
        return self.head.valuable_region(self.sites, self.gt_boxes)

    def detach(self) -> Step:
        """Return the step without its graph."""
        return replace(self, student=self.student.detach(), teacher=self.teacher.detach())


@dataclass
class StepObservation:
    """The last observed step, without gradient.

    Attributes:
        step: The sites and predictions; None until a step has run.
        terms: Divergence and weight of each site or image by the name of the loss, for losses of this package.
    """

    step: Step | None = None
    terms: dict[str, Terms] = field(default_factory=dict)

    def keep_terms(self, loss_name: str, terms: Terms) -> None:
        """Keep the terms of one loss, one divergence and weight for each site or image.

        Parts of a site are added up, with the weight that gives their weighted sum; sites not chosen weigh 0.
        """
        divergence, weights = terms.divergence.detach(), terms.weights.detach()
        if divergence.dim() > 1:
            weighted, mean = (weights * divergence).sum(dim=1), weights.mean(dim=1)
            divergence = divergence.sum(dim=1)
            weights = torch.where(divergence > 0, weighted / divergence, mean)
        if terms.rows is not None and self.step is not None:
            rows, nothing = terms.rows, divergence.new_zeros(len(self.step.sites))
            divergence, weights = (nothing.index_put((rows,), part.to(nothing)) for part in (divergence, weights))
        self.terms[loss_name] = Terms(divergence, weights, unit=terms.unit)
