"""The places where the student's loss is computed, with one file for each kind of head.

A *site* is a proposal of a two-stage head, a point of a dense head, a query of a transformer. The rest of the package
uses :class:`Sites`, :class:`Prediction`, :class:`SiteHead` and :class:`Scores` and depends on no kind of head.
"""

from __future__ import annotations

from eakd_det.sites.base import MODEL_KEYS, Side, SiteHead, Translation
from eakd_det.sites.dense import DenseHead
from eakd_det.sites.heads import HEADS, find_head, num_classes
from eakd_det.sites.predictions import WANTED, HeadPredictor, Prediction, Sites, Wanted, Watched
from eakd_det.sites.roi import RoIHead
from eakd_det.sites.scores import ClassGroups, ClassTranslation, Scores, SigmoidScores, SoftmaxScores

__all__ = [
    'HEADS',
    'MODEL_KEYS',
    'WANTED',
    'ClassGroups',
    'ClassTranslation',
    'DenseHead',
    'HeadPredictor',
    'Prediction',
    'RoIHead',
    'Scores',
    'Side',
    'SigmoidScores',
    'SiteHead',
    'Sites',
    'SoftmaxScores',
    'Translation',
    'Wanted',
    'Watched',
    'find_head',
    'num_classes',
]
