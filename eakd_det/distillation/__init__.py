"""The step: what is recorded, who proposes, what the teacher answers, and what is learned from it."""

from __future__ import annotations

from eakd_det.distillation.algorithm import ProposalDistill
from eakd_det.distillation.class_lists import ClassCheckHook
from eakd_det.distillation.distiller import ProposalDistiller
from eakd_det.distillation.proposal_recorder import ProposalRecorder

__all__ = ['ClassCheckHook', 'ProposalDistill', 'ProposalDistiller', 'ProposalRecorder']
