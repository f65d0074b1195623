"""Names of what losses read in a training step, as they stand in ``loss_forward_mappings``."""

from __future__ import annotations

LOGITS = 'proposal_logits'
"""Class scores at the sites before softmax or sigmoid, ``(N, C)``."""
EMBEDDINGS = 'proposal_embeddings'
"""Input of the classifier, ``(N, D)``."""
LABELS = 'proposal_labels'
"""Class assigned to each site, ``(N,)``."""
IMAGES = 'proposal_images'
"""Index of each site's image in the batch, ``(N,)``."""
OBJECTS = 'proposal_objects'
"""Whether an object was assigned to each site, ``(N,)``, bool."""
BOXES = 'proposal_deltas'
"""Regressed boxes in the student's units, ``(N, 4)``, ``(N, 4 K)`` or ``(N, 4, bins)``."""
PREDICTOR = 'box_predictor'
"""The head of that side as a function of other features at the same sites: neck levels -> logits, boxes."""
NECK = 'neck_features'
"""The neck's levels, fine to coarse."""
