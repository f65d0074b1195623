"""The training step: the student's sites, both predictions there, and their losses."""

from __future__ import annotations

from eakd_det.distillation.algorithm import ProposalDistill
from eakd_det.distillation.distiller import ProposalDistiller
from eakd_det.distillation.observation import Step, StepObservation
from eakd_det.distillation.proposal_recorder import ProposalRecorder

__all__ = ['ProposalDistill', 'ProposalDistiller', 'ProposalRecorder', 'Step', 'StepObservation']
