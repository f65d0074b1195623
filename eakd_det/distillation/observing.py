"""Look at the proposals of a step from outside: while it trains, or without training at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
from mmdet.structures import DetDataSample
from torch import Tensor

from eakd_det.distillation.detectors import box_head
from eakd_det.distillation.proposals import ProposalOutputs, SampledProposals
from eakd_det.distillation.taps import ProposalTap
from eakd_det.losses import Terms

if TYPE_CHECKING:
    from eakd_det.distillation.algorithm import ProposalDistill
    from eakd_det.distillation.distiller import ProposalDistiller


@dataclass
class StepObservation:
    """What one step did with its proposals, without gradient; given to :attr:`ProposalDistiller.observer`.

    Attributes:
        proposals: The student's proposals, with its logits.
        teacher: What the teacher said of them.
        terms: Divergence and weight of each site or image, by the loss's name, of losses that have them.
    """

    proposals: SampledProposals | None = None
    teacher: ProposalOutputs | None = None
    terms: dict[str, Terms] = field(default_factory=dict)

    def see_proposals(self, proposals: SampledProposals, teacher: ProposalOutputs) -> None:
        """Keep the proposals of the step, and let go of their graph."""
        self.proposals = replace(proposals, outputs=_detached(proposals.outputs))
        self.teacher = _detached(teacher)

    def see_terms(self, loss_name: str, terms: Terms) -> None:
        """Keep one loss's terms, without gradient."""
        self.terms[loss_name] = Terms(terms.divergence.detach(), terms.weights.detach(), unit=terms.unit)


def watch_next_step(distiller: ProposalDistiller) -> StepObservation:
    """Let ``distiller`` show its next steps, and return what will show them; several may watch at a time.

    Set :attr:`ProposalDistiller.observer` to None to end it.
    """
    if distiller.observer is None:
        distiller.observer = StepObservation()
    return distiller.observer


@torch.no_grad()
def observe_proposals(
    algorithm: ProposalDistill,
    batch_inputs: Tensor,
    samples: Sequence[DetDataSample],
    with_embeddings: bool = False,
) -> StepObservation:
    """Sample proposals as a training step does and ask both networks, but compute no distillation loss and no gradient.

    Student and samplers behave as the algorithm's mode tells them; call ``algorithm.train()`` for what a step sees.
    BatchNorm in training mode then updates its running statistics as in any forward pass.

    Args:
        algorithm: Student and teacher.
        batch_inputs: Images as the algorithm's ``data_preprocessor`` makes them.
        samples: Their annotations.
        with_embeddings: Whether to keep the RoI embeddings of both, ``(R, D)``.
    """
    head = box_head(algorithm.student, algorithm._student_stage)
    with ProposalTap(head, with_embeddings) as tap:
        algorithm.student(batch_inputs, list(samples), mode='loss')
    observation = StepObservation()
    if tap.proposals is not None:
        teacher = algorithm._teacher.answer(batch_inputs, samples, tap.proposals.rois, with_embeddings)
        observation.see_proposals(tap.proposals, teacher)
    return observation


def _detached(outputs: ProposalOutputs) -> ProposalOutputs:
    embeddings = None if outputs.embeddings is None else outputs.embeddings.detach()
    return ProposalOutputs(outputs.logits.detach(), embeddings)
