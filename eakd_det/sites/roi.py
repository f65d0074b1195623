"""Proposals of two-stage detectors: Faster R-CNN, Mask R-CNN and Cascade R-CNN with softmax box heads.

Letters: ``R`` proposals, ``K`` classes of objects. A proposal's place is its RoI, ``(R, 5)``: index of the image in the
batch, then x1, y1, x2, y2 in pixels of the network's input.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import torch
from mmdet.models import BBoxHead, CascadeRoIHead, StandardRoIHead, TwoStageDetector
from torch import Tensor, nn

from eakd_det.errors import ConfigError
from eakd_det.functional import InnerMaps
from eakd_det.functional._inputs import to_float
from eakd_det.models import accept_any_layout, keep_boxes_in_float32
from eakd_det.sites.base import SiteHead
from eakd_det.sites.predictions import WANTED, Prediction, Sites, Wanted, Watched
from eakd_det.sites.roi_translation import RoITranslation
from eakd_det.sites.scores import ClassGroups, SoftmaxScores


class RoIHead(SiteHead):
    """The box head of a two-stage detector, or of one stage of a cascade.

    :meth:`watch` wraps ``BBoxHead.loss``, the one place in MMDetection that has logits, boxes and labels of the sampled
    proposals. Rows are ordered by image, positives before negatives, as MMDetection samples them.
    """

    kind = 'a two-stage detector with a box head (Faster R-CNN, Mask R-CNN, Cascade R-CNN)'

    @classmethod
    def supports(cls, detector: nn.Module) -> bool:
        """Return whether ``detector`` has a RoI head with a box branch."""
        return isinstance(detector, TwoStageDetector) and detector.with_roi_head and detector.roi_head.with_bbox

    @property
    def name(self) -> str:
        """The box head, or the list of a cascade's box heads."""
        return 'roi_head.bbox_head'

    @property
    def box_head(self) -> BBoxHead:
        """The box head of the stage."""
        head = self.detector.roi_head.bbox_head
        return head[self.stage] if isinstance(head, nn.ModuleList) else head

    @property
    def scores(self) -> SoftmaxScores:
        """A softmax with background in the last column."""
        return SoftmaxScores(int(self.box_head.num_classes))

    def problem(self) -> str | None:
        """Reject other RoI heads, a stage that does not exist, and classifiers without a softmax."""
        roi_head = self.detector.roi_head
        if not isinstance(roi_head, (StandardRoIHead, CascadeRoIHead)):
            key = self.key.removesuffix('.bbox_head')
            return f'{key}.type: expected StandardRoIHead or CascadeRoIHead, but got {type(roi_head).__name__}'
        count = roi_head.num_stages if isinstance(roi_head, CascadeRoIHead) else 1
        if not isinstance(self.stage, int) or not -count <= self.stage < count:
            return (
                f'model.{self.side}_stage: expected a stage from {-count} to {count - 1}, because the '
                f'{type(self.detector).__name__} has {count} box head{"s" if count > 1 else ""}, but got {self.stage!r}'
            )
        head = self.box_head
        if not isinstance(head, BBoxHead) or not head.with_cls or not hasattr(head.fc_cls, 'out_features'):
            return f'{self.key}: expected a BBoxHead with a classifier, but got {type(head).__name__}'
        if getattr(head.loss_cls, 'use_sigmoid', False) or head.custom_activation:
            loss = type(head.loss_cls).__name__
            return f'{self.key}.loss_cls: expected a softmax cross-entropy, but got {loss} with another activation'
        return None

    def why_not(self, teacher: SiteHead, same_classes: bool = True) -> str | None:
        """Compare the widths of the classifiers as well: a custom classifier may have any number of columns."""
        reason = super().why_not(teacher, same_classes)
        if reason is None and same_classes and isinstance(teacher, RoIHead):
            student_width, teacher_width = (head.box_head.fc_cls.out_features for head in (self, teacher))
            if student_width != teacher_width:
                reason = (
                    f'{self.key}.loss_cls: student and teacher must have as many logits, but the student has '
                    f'fc_cls.out_features {student_width} and the teacher ({teacher.key}) has {teacher_width}'
                )
        return reason

    def prepare(self) -> None:
        """Keep boxes in float32 under bfloat16 autocast, and let RoIAlign read any memory layout."""
        keep_boxes_in_float32(self.detector)
        accept_any_layout(self.detector)

    @contextmanager
    def watch(self, wanted: Wanted = WANTED) -> Iterator[Watched]:
        """Wrap ``loss`` of the box head inside the context; it has the boxes anyway."""
        head, watched = self.box_head, Watched()
        original = head.loss

        def recording(
            cls_score: Tensor, bbox_pred: Tensor, rois: Tensor, labels: Tensor, *args: Any, **kw: Any
        ) -> dict:
            if rois is not None:  # PISA's sampler also weighs candidates by the loss
                where, is_object = rois.detach(), labels != self.scores.background
                watched.sites = Sites(where[:, 0].long(), labels, is_object, where=where, copies=self._copies)
                watched.prediction = Prediction(cls_score, bbox_pred, seen[-1] if seen else None)
            return original(cls_score, bbox_pred, rois, labels, *args, **kw)

        with _inputs_of(head.fc_cls, enabled=wanted.embeddings) as seen:
            head.loss = recording
            try:
                yield watched
            finally:
                del head.loss
        if watched.is_empty:
            raise ConfigError(
                f'{self.key.removesuffix(".bbox_head")}.type: {type(self.detector.roi_head).__name__} computes its '
                'loss without BBoxHead.loss, so its proposals cannot be read; '
                'use StandardRoIHead or CascadeRoIHead'
            )

    def predict(self, features: Sequence[Tensor] | InnerMaps, sites: Sites, wanted: Wanted = WANTED) -> Prediction:
        """Run the box head on the RoIs of ``sites``.

        Raises:
            ConfigError: If there are fewer levels than it reads.
        """
        with _inputs_of(self.box_head.fc_cls, enabled=wanted.embeddings) as seen:
            results = self._forward(cast(Sequence[Tensor], features), sites)  # why_not_after rejects inner maps
        return Prediction(results['cls_score'], results['bbox_pred'], seen[-1] if seen else None)

    @property
    def _copies(self) -> int:
        """How often a TridentNet's backbone returns each image in training, once for each branch."""
        return int(getattr(self.detector.backbone, 'num_branch', 1))

    def _forward(self, features: Sequence[Tensor], sites: Sites) -> dict[str, Tensor]:
        roi_head = self.detector.roi_head
        extractor = roi_head.bbox_roi_extractor
        reader: Any = extractor[self.stage] if isinstance(extractor, nn.ModuleList) else extractor
        if len(features) < reader.num_inputs:
            raise ConfigError(
                f'roi_head.bbox_roi_extractor: expected {reader.num_inputs} levels of features, '
                f'but got {len(features)}; set roi_levels of the loss that runs the box head'
            )
        # mmcv's RoIAlign has no bfloat16 kernel.
        levels = tuple(level.float() if level.dtype == torch.bfloat16 else level for level in features)
        rois = sites.where
        if sites.copies > 1:
            rois = torch.cat([rois[:, :1] % len(levels[0]), rois[:, 1:]], dim=1)
        if isinstance(roi_head, CascadeRoIHead):
            return roi_head._bbox_forward(self.stage % roi_head.num_stages, levels, rois)
        return roi_head._bbox_forward(levels, rois)

    def translation_to(self, student: SiteHead, groups: ClassGroups | None) -> RoITranslation:
        """Return the translation from this box head to the student's."""
        box_head = cast(RoIHead, student).box_head  # why_not rejects any other kind
        return RoITranslation(box_head, self.box_head, groups)

    def boxes(self, sites: Sites) -> Tensor:
        """Return the proposals."""
        return sites.where[:, 1:]

    def why_no_corners(self) -> str | None:
        """Refuse a box for each class: a site must have one."""
        if self.box_head.with_reg and self.box_head.reg_class_agnostic:
            return None
        return (
            f'{self.key}.reg_class_agnostic: expected True, one box for each proposal, for a loss that compares boxes, '
            f'but got {self.box_head.reg_class_agnostic}'
        )

    def decode(self, boxes: Tensor, sites: Sites) -> Tensor:
        """Decode with the box coder, from the proposals."""
        decoded = self.box_head.bbox_coder.decode(sites.where[:, 1:], to_float(boxes))
        return torch.as_tensor(getattr(decoded, 'tensor', decoded))

    def free_unused(self) -> None:
        """Remove RPN, mask head, assigner and sampler."""
        for owner, name in ((self.detector, 'rpn_head'), (self.detector.roi_head, 'mask_head')):
            if name in owner._modules:
                delattr(owner, name)
        self.detector.roi_head.bbox_assigner = self.detector.roi_head.bbox_sampler = None


@contextmanager
def _inputs_of(module: nn.Module, enabled: bool) -> Iterator[list[Tensor]]:
    """Collect the inputs of ``module`` inside the context, if ``enabled``."""
    seen: list[Tensor] = []
    if not enabled:
        yield seen
        return
    handle = module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    try:
        yield seen
    finally:
        handle.remove()
