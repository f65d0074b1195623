"""The kinds of heads that can be distilled, and the one that a detector has."""

from __future__ import annotations

from mmdet.models import BaseDetector
from torch import nn

from eakd_det.errors import ConfigError
from eakd_det.sites.base import MODEL_KEYS, Side, SiteHead
from eakd_det.sites.dense import DenseHead
from eakd_det.sites.roi import RoIHead

HEADS: tuple[type[SiteHead], ...] = (RoIHead, DenseHead)
"""The first kind that supports a detector is the detector's."""


def find_head(detector: nn.Module, side: Side, stage: int = -1) -> SiteHead:
    """Return the head at which ``detector`` is distilled.

    Args:
        detector: Any detector.
        side: Whether it learns or teaches, for messages.
        stage: Which of several heads in a row; -1 is the last.

    Raises:
        ConfigError: If no kind of head supports it, or something in it cannot be distilled.
    """
    kind = _kind_of(detector)
    if kind is None:
        expected = ' or '.join(head.kind for head in HEADS)
        raise ConfigError(
            f'{MODEL_KEYS[side]}: expected {expected}, '
            f'but got {type(detector).__name__}, in which there is nothing to distil'
        )
    head = kind(detector, side, stage)
    problem = head.problem()
    if problem is not None:
        raise ConfigError(problem)
    return head


def num_classes(detector: BaseDetector) -> int | None:
    """Return the number of classes of objects that ``detector`` knows; None if no kind of head supports it."""
    kind = _kind_of(detector)
    return None if kind is None else kind(detector).scores.num_classes


def _kind_of(detector: nn.Module) -> type[SiteHead] | None:
    return next((head for head in HEADS if head.supports(detector)), None)
