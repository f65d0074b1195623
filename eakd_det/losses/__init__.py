"""The losses: a divergence from :mod:`eakd_det.functional`, a weighting, a reduction."""

from __future__ import annotations

from eakd_det.losses.base import ProposalLoss, ProposalTerms, Terms
from eakd_det.losses.box import BoxLoss
from eakd_det.losses.cat_kd import CATKDLoss
from eakd_det.losses.crd import CRDLoss
from eakd_det.losses.cross_head import CrossHeadLoss
from eakd_det.losses.dkd import DKDLoss
from eakd_det.losses.embedding import EmbeddingLoss
from eakd_det.losses.fcfd import FCFDLoss
from eakd_det.losses.fgd import FGDLoss
from eakd_det.losses.hints import ATLoss, FitNetLoss, OFDLoss
from eakd_det.losses.instance_temperature import InstanceTemperature
from eakd_det.losses.kd import KDLoss, RKLDLoss
from eakd_det.losses.ld import LDLoss
from eakd_det.losses.logit import LogitLoss
from eakd_det.losses.mixture import JSDLoss, SKLDLoss, SRKLDLoss
from eakd_det.losses.mld import MLDLoss
from eakd_det.losses.norm_direction import NormDirectionLoss
from eakd_det.losses.pad import PADLoss
from eakd_det.losses.pkd import PKDLoss
from eakd_det.losses.pyramid import PyramidLoss
from eakd_det.losses.review import ReviewKDLoss
from eakd_det.losses.rkd import RKDLoss
from eakd_det.losses.site_loss import SiteLoss
from eakd_det.losses.temperature import EntropyTemperature, LearnedTemperature, ProposalTemperature
from eakd_det.losses.ttm import TTMLoss

__all__ = [
    'ATLoss',
    'BoxLoss',
    'CATKDLoss',
    'CRDLoss',
    'CrossHeadLoss',
    'DKDLoss',
    'EmbeddingLoss',
    'EntropyTemperature',
    'FCFDLoss',
    'FGDLoss',
    'FitNetLoss',
    'InstanceTemperature',
    'JSDLoss',
    'KDLoss',
    'LDLoss',
    'LearnedTemperature',
    'LogitLoss',
    'MLDLoss',
    'NormDirectionLoss',
    'OFDLoss',
    'PADLoss',
    'PKDLoss',
    'ProposalLoss',
    'ProposalTemperature',
    'ProposalTerms',
    'PyramidLoss',
    'RKDLoss',
    'RKLDLoss',
    'ReviewKDLoss',
    'SKLDLoss',
    'SRKLDLoss',
    'SiteLoss',
    'TTMLoss',
    'Terms',
]
