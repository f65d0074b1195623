"""Makes the shared proposals available to MMRazor's loss mappings, under reserved recorder names."""

from __future__ import annotations

from typing import Any

from mmrazor.models.task_modules.recorder.base_recorder import BaseRecorder
from torch import nn

LOGITS, EMBEDDINGS = 'proposal_logits', 'proposal_embeddings'
LABELS, IMAGES = 'proposal_labels', 'proposal_images'
DELTAS, PREDICTOR = 'proposal_deltas', 'box_predictor'
NECK = 'neck_features'
_OF_PROPOSALS = (LOGITS, EMBEDDINGS, LABELS, IMAGES, DELTAS, PREDICTOR)
RESERVED_NAMES = (*_OF_PROPOSALS, NECK)


class ProposalRecorder(BaseRecorder):
    """A recorder that is handed its record by the algorithm instead of hooking a module.

    ``ProposalDistiller`` owns one for each of ``proposal_logits`` ``(R, C)``, ``proposal_embeddings`` ``(R, D)``,
    ``proposal_labels`` ``(R,)``, ``proposal_images`` ``(R,)`` and ``proposal_deltas``, for student and teacher alike;
    row n is the same box in all of them. ``box_predictor`` is a function that asks the box head of that side about the
    same boxes on other features: neck levels -> logits, deltas.

    Example:
        >>> loss_forward_mappings = dict(
        ...     loss_embedding=dict(
        ...         s_feature=dict(recorder='proposal_embeddings', from_student=True),
        ...         t_feature=dict(recorder='proposal_embeddings', from_student=False)))
    """

    def prepare_from_model(self, model: nn.Module | None = None) -> None:
        """Nothing to prepare: no module is hooked."""

    def record(self, value: Any) -> None:
        """Replace the record by ``value``."""
        self._data_buffer = [value]


def reserved_recorders() -> dict[str, dict[str, str]]:
    """Configs of the reserved recorders, for MMRazor's ``RecorderManager`` (which appends 'Recorder' to the type)."""
    proposals = {name: dict(type='eakd_det.Proposal', source=name) for name in _OF_PROPOSALS}
    return {**proposals, NECK: dict(type='ModuleOutputs', source='neck')}
