"""Distillation as pure mathematics on logits: torch only, no registry, no detector.

Letters: ``R`` sites (proposals, points, queries) in the batch, ``C`` columns of class scores, ``tau`` a temperature in
a softmax, ``w`` a weight. Entropies are in nats. A column for background is a class like the others.

Each divergence and weight returns one value per site, ``(R,)``, never a reduced loss; works in log space, in
float32 or better whatever it is given, for any finite logits and for ``R = 0``; and is differentiable in the student
(and in a temperature that is a tensor), never in the teacher. All functions of tensors work under ``torch.func``
(``grad``, ``vmap``, ``jacrev``, ``jacfwd``, ``hessian``) and under ``torch.compile(fullgraph=True)``.
"""

from __future__ import annotations

from eakd_det.functional._inputs import Temperature, check_pair, soften
from eakd_det.functional.binary import binary_ea_weight, binary_entropy, binary_kd_divergence, binary_pairs
from eakd_det.functional.dkd import DKDTerms, dkd_divergence, dkd_terms
from eakd_det.functional.ea_weight import EA_MODES, EAMode, ea_weight
from eakd_det.functional.entropy import entropy
from eakd_det.functional.entropy_guided import (
    curriculum_weight,
    entropy_temperature,
    hard_rows,
    normalized_entropy,
)
from eakd_det.functional.gradient_reversal import cosine_reversal, scale_gradient
from eakd_det.functional.kd import kd_divergence
from eakd_det.functional.mixture import jsd_divergence, skld_divergence, srkld_divergence
from eakd_det.functional.mld import batch_gram_distance, class_gram_distance, rare_columns, unsure_rows
from eakd_det.functional.mse import mse_divergence
from eakd_det.functional.pad import pad_divergence
from eakd_det.functional.review import hcl_divergence
from eakd_det.functional.rkld import rkld_divergence
from eakd_det.functional.standardize import StandardizeOption, standardize
from eakd_det.functional.ttm import power_sum, ttm_divergence

__all__ = [
    'EA_MODES',
    'DKDTerms',
    'EAMode',
    'StandardizeOption',
    'Temperature',
    'batch_gram_distance',
    'binary_ea_weight',
    'binary_entropy',
    'binary_kd_divergence',
    'binary_pairs',
    'check_pair',
    'class_gram_distance',
    'cosine_reversal',
    'curriculum_weight',
    'dkd_divergence',
    'dkd_terms',
    'ea_weight',
    'entropy',
    'entropy_temperature',
    'hard_rows',
    'hcl_divergence',
    'jsd_divergence',
    'kd_divergence',
    'mse_divergence',
    'normalized_entropy',
    'pad_divergence',
    'power_sum',
    'rare_columns',
    'rkld_divergence',
    'scale_gradient',
    'skld_divergence',
    'soften',
    'srkld_divergence',
    'standardize',
    'ttm_divergence',
    'unsure_rows',
]
