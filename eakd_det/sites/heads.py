"""The kinds of heads that can be distilled."""

from __future__ import annotations

from mmdet.models import BaseDetector
from torch import nn

from eakd_det.errors import ConfigError
from eakd_det.sites.base import MODEL_KEYS, Side, SiteHead
from eakd_det.sites.dense import DenseHead
from eakd_det.sites.roi import RoIHead

HEADS: tuple[type[SiteHead], ...] = (RoIHead, DenseHead)
"""A detector is handled by the first kind that supports it."""


def find_head(detector: nn.Module, side: Side, stage: int = -1) -> SiteHead:
    """Return the head at which ``detector`` is distilled; arguments as in :class:`SiteHead`.

    Raises:
        ConfigError: If no kind of head supports the detector, or it cannot be distilled.
    """
    kind = _kind_of(detector)
    if kind is None:
        expected = ' or '.join(head.kind for head in HEADS)
        raise ConfigError(
            f'{MODEL_KEYS[side]}: expected {expected}, but got {type(detector).__name__}, which has no such head'
        )
    head = kind(detector, side, stage)
    problem = head.problem()
    if problem is not None:
        raise ConfigError(problem)
    return head


def num_classes(detector: BaseDetector) -> int | None:
    """Return the number of object classes of ``detector``; None if no kind of head supports it."""
    kind = _kind_of(detector)
    return None if kind is None else kind(detector).scores.num_classes


def _kind_of(detector: nn.Module) -> type[SiteHead] | None:
    return next((head for head in HEADS if head.supports(detector)), None)
