"""Detect distillation by MMRazor's own algorithm that compares logits of different boxes."""

from __future__ import annotations

from typing import Any

from mmrazor.models import SingleTeacherDistill

from eakd_det.losses import ProposalLoss
from eakd_det.mm.entropy_weighted import EntropyWeightedMaps


def unshared_proposals(model: Any) -> str | None:
    """Return a warning if a loss of ``model`` compares independently sampled proposals, else None.

    ``SingleTeacherDistill`` runs both detectors in full, and row n of one's RoI logits belongs to another box than
    row n of the other's, unless a delivery shares the samples. The shapes fit, so nothing fails.
    """
    if not isinstance(model, SingleTeacherDistill) or getattr(model.architecture, 'roi_head', None) is None:
        return None
    distiller: Any = model.distiller
    if distiller.deliveries.deliveries:
        return None
    for name, mapping in distiller.loss_forward_mappings.items():
        sides = {record['from_student'] for key, record in mapping.items() if key in ('preds_S', 'preds_T')}
        if sides == {True, False} and _compares_proposals(distiller.distill_losses[name]):
            return (
                f'model.distiller.distill_losses.{name}: {type(model).__name__} samples the proposals of student '
                'and teacher independently, so this loss compares logits of different boxes; use '
                "model.type='eakd_det.ProposalDistill', or share the samples by distill_deliveries (docs/mmrazor.md)"
            )
    return None


def _compares_proposals(loss: Any) -> bool:
    return isinstance(loss, ProposalLoss) and not isinstance(loss, EntropyWeightedMaps)
