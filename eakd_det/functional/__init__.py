"""Distillation as pure mathematics on logits: torch only, no registry, no detector.

Letters: ``R`` sites (proposals, points, queries) in the batch, ``C`` columns of class scores, ``tau`` the temperature
of a softmax, ``w`` a weight. Entropies are in nats. A background column is a class like any other.

Conventions, unless a docstring states otherwise:

* ``student_logits`` and ``teacher_logits`` are class scores before the softmax, ``(R, C)``. Any finite values and
  ``R = 0`` are valid.
* A divergence (in nats) or weight is one value per site, ``(R,)``, in float32 or better, computed in log space.
* Gradients reach the student, and a temperature that is a tensor, but never the teacher. Weights have no gradient.
* A :class:`~eakd_det.errors.ConfigError` reports shapes, dtypes or devices that do not match, labels out of range, or
  a ``tau`` that is not above 0.

All functions of tensors work under ``torch.func`` (``grad``, ``vmap``, ``jacrev``, ``jacfwd``, ``hessian``) and
``torch.compile(fullgraph=True)``.
"""

from __future__ import annotations

from eakd_det.functional._inputs import Temperature, check_pair, soften
from eakd_det.functional.attention import at_divergence
from eakd_det.functional.binary import (
    binary_ea_weight,
    binary_entropy,
    binary_focal_divergence,
    binary_kd_divergence,
    binary_pairs,
)
from eakd_det.functional.boxes import giou_divergence, l1_divergence
from eakd_det.functional.cat_kd import cat_divergence
from eakd_det.functional.crd import crd_divergence
from eakd_det.functional.dkd import DKDTerms, dkd_divergence, dkd_terms
from eakd_det.functional.ea_weight import EA_MODES, EAMode, ea_weight
from eakd_det.functional.entropy import entropy
from eakd_det.functional.entropy_guided import (
    Uncertainty,
    curriculum_weight,
    entropy_temperature,
    hard_rows,
    normalized_entropy,
    uncertainty,
)
from eakd_det.functional.fgd import FGDTerms, fgd_terms, foreground_scale
from eakd_det.functional.gradient_reversal import cosine_reversal, scale_gradient
from eakd_det.functional.inner_maps import InnerMaps, channel_moments, match_moments
from eakd_det.functional.kd import kd_divergence, rkld_divergence
from eakd_det.functional.mixture import jsd_divergence, skld_divergence, srkld_divergence
from eakd_det.functional.mld import batch_gram_distance, class_gram_distance, rare_columns, unsure_rows
from eakd_det.functional.mse import mse_divergence
from eakd_det.functional.norm_direction import nd_divergence
from eakd_det.functional.ofd import negative_means, ofd_divergence
from eakd_det.functional.pad import pad_divergence
from eakd_det.functional.pkd import pkd_divergence
from eakd_det.functional.review import hcl_divergence
from eakd_det.functional.rkd import rkd_angle_divergence, rkd_distance_divergence
from eakd_det.functional.standardize import StandardizeOption, standardize
from eakd_det.functional.teacher_loss import adakd_weight
from eakd_det.functional.ttm import power_sum, ttm_divergence
from eakd_det.functional.valuable_region import valuable_region

__all__ = [
    'EA_MODES',
    'DKDTerms',
    'EAMode',
    'FGDTerms',
    'InnerMaps',
    'StandardizeOption',
    'Temperature',
    'Uncertainty',
    'adakd_weight',
    'at_divergence',
    'batch_gram_distance',
    'binary_ea_weight',
    'binary_entropy',
    'binary_focal_divergence',
    'binary_kd_divergence',
    'binary_pairs',
    'cat_divergence',
    'channel_moments',
    'check_pair',
    'class_gram_distance',
    'cosine_reversal',
    'crd_divergence',
    'curriculum_weight',
    'dkd_divergence',
    'dkd_terms',
    'ea_weight',
    'entropy',
    'entropy_temperature',
    'fgd_terms',
    'foreground_scale',
    'giou_divergence',
    'hard_rows',
    'hcl_divergence',
    'jsd_divergence',
    'kd_divergence',
    'l1_divergence',
    'match_moments',
    'mse_divergence',
    'nd_divergence',
    'negative_means',
    'normalized_entropy',
    'ofd_divergence',
    'pad_divergence',
    'pkd_divergence',
    'power_sum',
    'rare_columns',
    'rkd_angle_divergence',
    'rkd_distance_divergence',
    'rkld_divergence',
    'scale_gradient',
    'skld_divergence',
    'soften',
    'srkld_divergence',
    'standardize',
    'ttm_divergence',
    'uncertainty',
    'unsure_rows',
    'valuable_region',
]
