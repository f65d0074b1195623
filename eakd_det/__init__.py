"""Entropy-adaptive knowledge distillation of detectors, on MMDetection 3 and MMRazor 1.

Importing this package imports neither torch nor OpenMMLab. Afterwards MMRazor can be imported on torch >= 2, and the
components have the same name in Python (``eakd_det.KDLoss``) and in a config (``type='eakd_det.KDLoss'``). The formulas
are in :mod:`eakd_det.functional`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from eakd_det.mm.setup import install
from eakd_det.names import OPENMMLAB_ROOMS, ROOM_OF
from eakd_det.version import __version__ as __version__

if TYPE_CHECKING:
    from eakd_det import functional as functional
    from eakd_det import losses as losses
    from eakd_det import weighting as weighting
    from eakd_det.distillation import ProposalDistill as ProposalDistill
    from eakd_det.distillation import ProposalDistiller as ProposalDistiller
    from eakd_det.distillation import ProposalRecorder as ProposalRecorder
    from eakd_det.evaluation import CocoEvalHook as CocoEvalHook
    from eakd_det.export import Detector as Detector
    from eakd_det.export import OnnxDetector as OnnxDetector
    from eakd_det.hooks import NonFiniteLossHook as NonFiniteLossHook
    from eakd_det.hooks import StopDistillationHook as StopDistillationHook
    from eakd_det.hooks import TeacherPreflightHook as TeacherPreflightHook
    from eakd_det.lab.analysis import ProposalEntropyHook as ProposalEntropyHook
    from eakd_det.lab.analysis import ProposalWeightVisualizationHook as ProposalWeightVisualizationHook
    from eakd_det.lab.experiment import StartHook as StartHook
    from eakd_det.lab.experiment import WatchHook as WatchHook
    from eakd_det.losses import ATLoss as ATLoss
    from eakd_det.losses import BoxLoss as BoxLoss
    from eakd_det.losses import CATKDLoss as CATKDLoss
    from eakd_det.losses import CRDLoss as CRDLoss
    from eakd_det.losses import CrossHeadLoss as CrossHeadLoss
    from eakd_det.losses import DKDLoss as DKDLoss
    from eakd_det.losses import EmbeddingLoss as EmbeddingLoss
    from eakd_det.losses import EntropyTemperature as EntropyTemperature
    from eakd_det.losses import FCFDLoss as FCFDLoss
    from eakd_det.losses import FGDLoss as FGDLoss
    from eakd_det.losses import FitNetLoss as FitNetLoss
    from eakd_det.losses import InstanceTemperature as InstanceTemperature
    from eakd_det.losses import JSDLoss as JSDLoss
    from eakd_det.losses import KDLoss as KDLoss
    from eakd_det.losses import LDLoss as LDLoss
    from eakd_det.losses import LearnedTemperature as LearnedTemperature
    from eakd_det.losses import MLDLoss as MLDLoss
    from eakd_det.losses import NormDirectionLoss as NormDirectionLoss
    from eakd_det.losses import OFDLoss as OFDLoss
    from eakd_det.losses import PADLoss as PADLoss
    from eakd_det.losses import PKDLoss as PKDLoss
    from eakd_det.losses import ReviewKDLoss as ReviewKDLoss
    from eakd_det.losses import RKDLoss as RKDLoss
    from eakd_det.losses import RKLDLoss as RKLDLoss
    from eakd_det.losses import SKLDLoss as SKLDLoss
    from eakd_det.losses import SRKLDLoss as SRKLDLoss
    from eakd_det.losses import TTMLoss as TTMLoss
    from eakd_det.mm.entropy_weighted import EntropyWeighted as EntropyWeighted
    from eakd_det.mm.entropy_weighted import EntropyWeightedLogits as EntropyWeightedLogits
    from eakd_det.mm.entropy_weighted import EntropyWeightedMaps as EntropyWeightedMaps
    from eakd_det.mm.entropy_weighted import EntropyWeightedRelations as EntropyWeightedRelations
    from eakd_det.models import MobileNetV2 as MobileNetV2
    from eakd_det.onecall import distill as distill
    from eakd_det.resume import ExactResumeHook as ExactResumeHook
    from eakd_det.resume import SafeCheckpointHook as SafeCheckpointHook
    from eakd_det.teachers import ClassCheckHook as ClassCheckHook
    from eakd_det.weighting import ConfidenceWeighting as ConfidenceWeighting
    from eakd_det.weighting import CurriculumWeighting as CurriculumWeighting
    from eakd_det.weighting import DifferenceWeighting as DifferenceWeighting
    from eakd_det.weighting import EntropyWeighting as EntropyWeighting
    from eakd_det.weighting import HardProposalWeighting as HardProposalWeighting
    from eakd_det.weighting import MeanMatchedWeighting as MeanMatchedWeighting
    from eakd_det.weighting import PowerSumWeighting as PowerSumWeighting
    from eakd_det.weighting import TeacherLossWeighting as TeacherLossWeighting
    from eakd_det.weighting import UniformWeighting as UniformWeighting

_ROOMS = ('functional', 'losses', 'weighting', *OPENMMLAB_ROOMS)

install()


def __getattr__(name: str) -> Any:
    """Import the room ``name``, or the room that defines ``name``."""
    if name in ROOM_OF:
        return getattr(importlib.import_module(f'{__name__}.{ROOM_OF[name]}'), name)
    if name in _ROOMS:
        return importlib.import_module(f'{__name__}.{name}')
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def __dir__() -> list[str]:
    return sorted({*globals(), *ROOM_OF, *_ROOMS})
