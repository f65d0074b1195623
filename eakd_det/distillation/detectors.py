"""What a detector must be so that its proposals can be distilled, and where its box head is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.models import BaseDetector, BBoxHead, CascadeRoIHead, StandardRoIHead, TwoStageDetector
from mmdet.registry import MODELS as MMDET_MODELS
from mmengine.hub import get_model
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from eakd_det.errors import ConfigError
from eakd_det.models import accept_any_layout, keep_boxes_in_float32, read_model_config


def build_detector(cfg: Any, key: str) -> BaseDetector:
    """Build a detector from whatever a user may write for ``architecture`` or ``teacher``.

    Args:
        cfg: A built detector, a model dict, the path of a config file or its name in a package
            (``'mmdet::faster_rcnn/...'``), or ``dict(cfg_path='mmdet::...')`` as in
            MMRazor's configs (there ``pretrained=True`` also loads that model's public checkpoint).
        key: The config key it came from, for messages.

    Raises:
        ConfigError: If ``cfg`` is none of these, or is not a two-stage detector with a softmax box head.
    """
    detector = _build(cfg, key)
    require_proposal_logits(detector, key)
    keep_boxes_in_float32(detector)
    accept_any_layout(detector)
    return detector


def _build(cfg: Any, key: str) -> nn.Module:
    if isinstance(cfg, nn.Module):
        return cfg
    if isinstance(cfg, dict) and 'cfg_path' in cfg and 'type' not in cfg:
        read_model_config(cfg, key)  # which says in one line what is wrong with the name
        return get_model(**cfg)
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MMDET_MODELS.build(read_model_config(cfg, key))


def require_proposal_logits(detector: nn.Module, key: str) -> None:
    """Raise :class:`ConfigError` unless ``detector`` classifies proposals by a softmax over C classes.

    Anything built on MMDetection's ``StandardRoIHead`` does (Faster R-CNN, Mask R-CNN), and Cascade R-CNN stage by
    stage. A sigmoid head does not: a softmax divergence contradicts the loss it is trained with.
    """
    name = type(detector).__name__
    if not isinstance(detector, TwoStageDetector) or not detector.with_roi_head or not detector.roi_head.with_bbox:
        raise ConfigError(
            f'{key}: expected a two-stage detector with a box head (Faster R-CNN, Mask R-CNN, Cascade R-CNN), '
            f'but got {name}, which has no proposals to distil'
        )
    if not isinstance(detector.roi_head, (StandardRoIHead, CascadeRoIHead)):
        raise ConfigError(
            f'{key}.roi_head.type: expected StandardRoIHead or CascadeRoIHead, '
            f'but got {type(detector.roi_head).__name__}'
        )
    head = box_head(detector)
    if not isinstance(head, BBoxHead) or not head.with_cls:
        raise ConfigError(
            f'{key}.roi_head.bbox_head: expected a BBoxHead with a classifier, but got {type(head).__name__}'
        )
    if getattr(head.loss_cls, 'use_sigmoid', False) or head.custom_activation:
        raise ConfigError(
            f'{key}.roi_head.bbox_head.loss_cls: expected a softmax cross-entropy, '
            f'but got {type(head.loss_cls).__name__} with another activation'
        )


def box_head(detector: BaseDetector, stage: int = -1) -> BBoxHead:
    """The box head of ``detector``; of a cascade the one of ``stage`` (the last by default)."""
    head = detector.roi_head.bbox_head
    return head[stage] if isinstance(head, nn.ModuleList) else head


def require_stage(detector: BaseDetector, stage: int, key: str) -> None:
    """Raise :class:`ConfigError` unless ``detector`` has a box head ``stage``; without a cascade there is only one."""
    count = detector.roi_head.num_stages if isinstance(detector.roi_head, CascadeRoIHead) else 1
    if not isinstance(stage, int) or not -count <= stage < count:
        raise ConfigError(
            f'{key}: expected a stage from {-count} to {count - 1}, because the {type(detector).__name__} has '
            f'{count} box head{"s" if count > 1 else ""}, but got {stage!r}'
        )


def box_forward(detector: BaseDetector, stage: int, features: Sequence[Tensor], rois: Tensor) -> dict[str, Tensor]:
    """Run the box head of ``stage`` on ``rois`` ``(R, 5)`` of ``features``, the neck's levels, fine to coarse.

    Returns:
        ``cls_score`` ``(R, C)``, ``bbox_pred`` and ``bbox_feats``, as MMDetection's heads return them.

    Raises:
        ConfigError: If there are fewer levels than the head reads; it would take each proposal from a wrong one.
    """
    roi_head = detector.roi_head
    extractor = roi_head.bbox_roi_extractor
    reader: Any = extractor[stage] if isinstance(extractor, nn.ModuleList) else extractor
    wanted = reader.num_inputs
    if len(features) < wanted:
        raise ConfigError(
            f'roi_head.bbox_roi_extractor: expected {wanted} levels of features, but got {len(features)}; '
            'set roi_levels of the loss that asks the box head'
        )
    # mmcv's RoIAlign has no bfloat16 kernel.
    levels = tuple(level.float() if level.dtype == torch.bfloat16 else level for level in features)
    if isinstance(roi_head, CascadeRoIHead):
        return roi_head._bbox_forward(stage % roi_head.num_stages, levels, rois)
    return roi_head._bbox_forward(levels, rois)


def num_foreground_classes(detector: BaseDetector) -> int:
    """Number of classes without background, which is also the label that background has."""
    return int(box_head(detector).num_classes)
