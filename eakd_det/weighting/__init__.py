"""Weights of sites, ``(preds_S, preds_T) -> (R,)``, without gradient."""

from __future__ import annotations

from eakd_det.weighting.base import ProposalWeighting
from eakd_det.weighting.confidence import ConfidenceWeighting
from eakd_det.weighting.difference import DifferenceWeighting
from eakd_det.weighting.entropy import EntropyWeighting
from eakd_det.weighting.entropy_guided import CurriculumWeighting, HardProposalWeighting
from eakd_det.weighting.images import image_index, image_weights, site_weights
from eakd_det.weighting.mean_matched import MeanMatchedWeighting
from eakd_det.weighting.power_sum import PowerSumWeighting
from eakd_det.weighting.teacher_loss import TeacherLossWeighting
from eakd_det.weighting.uniform import UniformWeighting

__all__ = [
    'ConfidenceWeighting',
    'CurriculumWeighting',
    'DifferenceWeighting',
    'EntropyWeighting',
    'HardProposalWeighting',
    'MeanMatchedWeighting',
    'PowerSumWeighting',
    'ProposalWeighting',
    'TeacherLossWeighting',
    'UniformWeighting',
    'image_index',
    'image_weights',
    'site_weights',
]
