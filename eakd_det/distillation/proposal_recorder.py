"""Predictions at the sites of a step as records for MMRazor's loss mappings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from mmrazor.models.task_modules import RecorderManager
from mmrazor.models.task_modules.recorder.base_recorder import BaseRecorder
from torch import nn

from eakd_det.distillation.observation import Step
from eakd_det.errors import ConfigError
from eakd_det.losses.records import (
    BOXES,
    CORNERS,
    EMBEDDINGS,
    GT_BOXES,
    IMAGES,
    INNER,
    INPUT_SIZE,
    LABELS,
    LOGITS,
    NECK,
    OBJECTS,
    PREDICTOR,
    VALUABLE,
)
from eakd_det.sites import HeadPredictor, Prediction

_OF_STEP = (
    LOGITS,
    EMBEDDINGS,
    LABELS,
    IMAGES,
    OBJECTS,
    VALUABLE,
    BOXES,
    CORNERS,
    PREDICTOR,
    INNER,
    GT_BOXES,
    INPUT_SIZE,
)
RESERVED_NAMES = (*_OF_STEP, NECK)


class ProposalRecorder(BaseRecorder):
    """A recorder that gets its record from the algorithm and hooks no module.

    ``ProposalDistiller`` has one for each name in :mod:`eakd_det.losses.records` but the neck's, on both sides.

    Example:
        >>> loss_forward_mappings = dict(
        ...     loss_embedding=dict(
        ...         s_feature=dict(recorder='proposal_embeddings', from_student=True),
        ...         t_feature=dict(recorder='proposal_embeddings', from_student=False)))
    """

    def prepare_from_model(self, model: nn.Module | None = None) -> None:
        """Hook nothing."""

    def record(self, value: Any) -> None:
        """Replace the record with ``value``."""
        self._data_buffer = [value]


def with_reserved_recorders(recorders: dict[str, Any] | None, key: str) -> dict[str, Any]:
    """Add configs of the reserved recorders, for MMRazor's ``RecorderManager``, which appends 'Recorder' to the type.

    Raises:
        ConfigError: If one of ``recorders``, under the config key ``key``, has a reserved name.
    """
    taken = sorted(set(recorders or {}) & set(RESERVED_NAMES))
    if taken:
        raise ConfigError(f'{key}: the names {", ".join(taken)} are reserved, choose others')
    of_step = {name: dict(type='eakd_det.Proposal', source=name) for name in _OF_STEP}
    return {**(recorders or {}), **of_step, NECK: dict(type='ModuleOutputs', source='neck')}


def drop_unused_records(manager: RecorderManager, used: Iterable[str]) -> None:
    """Drop the reserved recorders that no loss reads, so that they keep no tensor alive."""
    for name in set(RESERVED_NAMES) - set(used):
        del manager.recorders[name]


def record_prediction(manager: RecorderManager, step: Step, prediction: Prediction, predictor: HeadPredictor) -> None:
    """Record the step and the prediction of one side, as far as a loss reads them."""
    sites = step.sites
    values = {
        LOGITS: prediction.logits,
        EMBEDDINGS: prediction.embeddings,
        LABELS: sites.label,
        IMAGES: sites.image,
        OBJECTS: sites.is_object,
        VALUABLE: step.valuable if VALUABLE in manager.recorders else None,
        BOXES: prediction.boxes,
        CORNERS: prediction.corners,
        PREDICTOR: predictor,
        INNER: prediction.inner,
        GT_BOXES: step.gt_boxes,
        INPUT_SIZE: step.input_size,
    }
    for name, value in values.items():
        if name in manager.recorders:
            recorder: ProposalRecorder = manager.get_recorder(name)
            recorder.record(value)


@contextmanager
def resumed(manager: RecorderManager) -> Iterator[None]:
    """Record as ``with manager`` does, after what is recorded already, which that would drop."""
    kept = [(recorder, recorder.data_buffer) for recorder in manager.recorders.values()]
    with manager:
        for recorder, records in kept:
            recorder._data_buffer = records
        yield


def forget_records(manager: RecorderManager) -> None:
    """Drop all records of a step, so that no activation outlives it."""
    for recorder in manager.recorders.values():
        recorder.reset_data_buffer()
