"""What the weights do, in numbers and pictures: collected proposals, statistics, figures, and hooks that record."""

from __future__ import annotations

from eakd_det.lab.analysis.hooks import ProposalEntropyHook, ProposalWeightVisualizationHook
from eakd_det.lab.analysis.proposal_table import ProposalTable

__all__ = ['ProposalEntropyHook', 'ProposalTable', 'ProposalWeightVisualizationHook']
