"""Analyse the weights in numbers and pictures: collected proposals, statistics, figures, recording hooks."""

from __future__ import annotations

from eakd_det.lab.analysis.hooks import ProposalEntropyHook, ProposalWeightVisualizationHook
from eakd_det.lab.analysis.proposal_table import ProposalTable

__all__ = ['ProposalEntropyHook', 'ProposalTable', 'ProposalWeightVisualizationHook']
