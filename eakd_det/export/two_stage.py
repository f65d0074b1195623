"""The heads of Faster R-CNN for export: RPN, RoIAlign, box head, NMS."""

from __future__ import annotations

from typing import Any

import torch
from mmcv.ops import RoIAlign as RoIAlignLayer
from mmdet.models import BBoxHead, RPNHead, SingleRoIExtractor, StandardRoIHead
from torch import Tensor, nn

from eakd_det.errors import ConfigError
from eakd_det.export.graph import Outputs, best, clipped, nms_threshold, suppressed, with_size_above
from eakd_det.export.nodes import RoIAlign


class TwoStageHead(nn.Module):
    """RPN and box head of a Faster R-CNN.

    Args:
        detector: MMDetection's detector.
        score: Smallest score of a detection. None is that of ``test_cfg``.

    Raises:
        ConfigError: If a part has no counterpart in ONNX.
    """

    def __init__(self, detector: Any, score: float | None = None) -> None:
        super().__init__()
        _require_plain_parts(detector)
        self.rpn, self.roi_head = detector.rpn_head, detector.roi_head
        self.proposing, self.testing = detector.test_cfg.rpn, detector.test_cfg.rcnn
        self.proposing_iou = nms_threshold(self.proposing, 'test_cfg.rpn')
        self.iou = nms_threshold(self.testing, 'test_cfg.rcnn')
        self.score = float(self.testing.score_thr if score is None else score)

    def forward(self, levels: tuple[Tensor, ...], height: Any, width: Any) -> Outputs:
        """Return boxes, scores and labels."""
        rois = self.propose(levels, height, width)
        features, rois = self.pool(levels, rois)
        head = self.roi_head.bbox_head
        logits, deltas = head(features)
        scores = logits.softmax(dim=1)[:, : head.num_classes]
        boxes = head.bbox_coder.decode(rois, deltas).reshape(-1, deltas.shape[1] // 4, 4)
        boxes = boxes.expand(-1, head.num_classes, 4) if head.reg_class_agnostic else boxes
        labels = (torch.zeros_like(scores) + torch.arange(head.num_classes)).long().flatten()
        boxes, scores = clipped(boxes, height, width).reshape(-1, 4), scores.flatten()
        kept = suppressed(boxes, scores, labels, self.iou, self.score, int(self.testing.max_per_img))
        return boxes[kept], scores[kept], labels[kept]

    def propose(self, levels: tuple[Tensor, ...], height: Any, width: Any) -> Tensor:
        """Return the proposals ``(R, 4)`` of the RPN."""
        logits, deltas = self.rpn(levels)
        priors = self.rpn.prior_generator.grid_priors([each.shape[-2:] for each in logits], device=logits[0].device)
        boxes, scores, groups = [], [], []
        for level, (logit, delta, prior) in enumerate(zip(logits, deltas, priors, strict=True)):
            score, index = best(logit[0].permute(1, 2, 0).reshape(-1).sigmoid(), int(self.proposing.nms_pre))
            delta = delta[0].permute(1, 2, 0).reshape(-1, 4)[index]
            box = clipped(self.rpn.bbox_coder.decode(prior[index], delta), height, width)
            boxes.append(box)
            scores.append(with_size_above(score, box, float(self.proposing.get('min_bbox_size', -1))))
            groups.append(torch.full_like(index, level))
        every = torch.cat(boxes)
        limit = int(self.proposing.max_per_img)
        return every[suppressed(every, torch.cat(scores), torch.cat(groups), self.proposing_iou, 0.0, limit)]

    def pool(self, levels: tuple[Tensor, ...], rois: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features of the RoIs and the RoIs, in the order of their levels."""
        extractor = self.roi_head.bbox_roi_extractor
        image = torch.zeros_like(rois[:, :1])
        level_of = extractor.map_roi_levels(torch.cat([image, rois], dim=1), extractor.num_inputs)
        features, parts = [], []
        for level, layer in enumerate(extractor.roi_layers):
            part = rois[(level_of == level).nonzero().squeeze(1)]
            size = layer.output_size[0] if isinstance(layer.output_size, tuple) else layer.output_size
            features.append(RoIAlign.apply(levels[level], part, size, layer.spatial_scale, layer.sampling_ratio))
            parts.append(part)
        return torch.cat(features), torch.cat(parts)


def _require_plain_parts(detector: Any) -> None:
    roi = detector.roi_head
    expected = {
        'rpn_head': (detector.rpn_head, RPNHead),
        'roi_head': (roi, StandardRoIHead),
        'roi_head.bbox_head': (getattr(roi, 'bbox_head', None), BBoxHead),
        'roi_head.bbox_roi_extractor': (getattr(roi, 'bbox_roi_extractor', None), SingleRoIExtractor),
    }
    for key, (part, kind) in expected.items():
        exact = type(part) is kind if key != 'roi_head.bbox_head' else isinstance(part, kind)
        if not exact:
            raise ConfigError(f'export: expected {kind.__name__} as {key}, but got {type(part).__name__}')
    if getattr(roi, 'with_mask', False) or roi.bbox_head.custom_activation:
        raise ConfigError(
            'export: expected boxes alone with softmax scores, but the RoI head has masks or other scores'
        )
    if not all(type(layer) is RoIAlignLayer and layer.aligned for layer in roi.bbox_roi_extractor.roi_layers):
        raise ConfigError('export: expected aligned RoIAlign in roi_head.bbox_roi_extractor, which ONNX has')
