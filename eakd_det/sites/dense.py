"""Points of dense heads: every MMDetection head that ends in ``loss_by_feat``, from RetinaNet to RTMDet and YOLOX.

A site is a (level, point, anchor).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from mmdet.models import BaseDetector
from mmdet.models.dense_heads.base_dense_head import BaseDenseHead
from torch import Tensor, nn

from eakd_det.errors import ConfigError
from eakd_det.functional import InnerMaps, valuable_region
from eakd_det.sites.base import SiteHead
from eakd_det.sites.dense_boxes import decode, decoder_of
from eakd_det.sites.dense_grid import Grid, box_rows, places_differ, priors, rows
from eakd_det.sites.dense_kinds import kind_of
from eakd_det.sites.dense_running import results_of, training_form
from eakd_det.sites.dense_stacks import entered, inner_maps, why_not_after
from eakd_det.sites.dense_translation import DenseTranslation
from eakd_det.sites.predictions import WANTED, Prediction, Sites, Wanted, Watched
from eakd_det.sites.scores import ClassGroups, Scores, SigmoidScores, SoftmaxScores


class DenseHead(SiteHead):
    """The box head of a single-stage detector.

    Its forward runs once, inside MMDetection's loss: ``loss_by_feat`` is watched, where predictions meet targets, and
    with it the method that assigns objects to sites (:mod:`eakd_det.sites.dense_kinds`). As a teacher it runs its
    forward on the same pixels, without assigner and loss.
    """

    kind = 'a single-stage detector with a dense head (RetinaNet, FCOS, GFL, RTMDet, YOLOX and others)'

    @classmethod
    def supports(cls, detector: nn.Module) -> bool:
        """Whether its box head is a dense one."""
        return isinstance(detector, BaseDetector) and isinstance(getattr(detector, 'bbox_head', None), BaseDenseHead)

    @property
    def name(self) -> str:
        """The box head."""
        return 'bbox_head'

    @property
    def head(self) -> Any:
        """The box head."""
        return self.detector.bbox_head

    @property
    def scores(self) -> Scores:
        """Sigmoids, or a softmax with background in the last column (SSD, YOLACT)."""
        sigmoid = kind_of(self.head).always_sigmoid or self.head.use_sigmoid_cls
        return (SigmoidScores if sigmoid else SoftmaxScores)(int(self.head.num_classes))

    def problem(self) -> str | None:
        """Refuse stages, and heads that have no class score for each site."""
        reason = kind_of(self.head).refused
        if reason is not None:
            return f'{self.key}.type: expected a head with a class score for each site, but {self._type} {reason}'
        if self.stage not in (-1, 0):
            return f'model.{self.side}_stage: expected -1, because a {self._type} has one stage, but got {self.stage!r}'
        return None

    def why_not(self, teacher: SiteHead, same_classes: bool = True) -> str | None:
        """Compare strides and anchors in addition, which decide where the sites are."""
        reason = super().why_not(teacher, same_classes)
        if reason is None and isinstance(teacher, DenseHead):
            difference = places_differ(self.head, teacher.head)
            if difference is not None:
                what, ours, theirs = difference
                return f'{teacher.key}: expected {what} {ours}, as the student ({self.key}) has, but got {theirs}'
        return reason

    @contextmanager
    def watch(self, wanted: Wanted = WANTED) -> Iterator[Watched]:
        """Wrap ``loss_by_feat`` and the assignment of this one head; both are restored whatever happens."""
        self._require_no(wanted.embeddings)
        head, kind, watched = self.head, kind_of(self.head), Watched()
        loss_by_feat = head.loss_by_feat
        parameters = inspect.signature(loss_by_feat)

        def watch_loss(*args: Any, **kwargs: Any) -> Any:
            given = parameters.bind(*args, **kwargs).arguments
            outputs = tuple(given.values())[: list(given).index('batch_gt_instances')]
            prediction, grid = self._read(outputs, wanted.boxes)
            if wanted.after:
                prediction = replace(prediction, inner=InnerMaps(wanted.after, *maps))
            with results_of(head, kind.assignment) as results:
                losses = loss_by_feat(*args, **kwargs)
            if kind.assignment is None and 'label_assignment_results' in given:  # LAD's own teacher assigns
                results = [given['label_assignment_results']]
            sites = self._sites(grid, prediction.logits.device)
            labels = kind.labels(head, results, grid, self.boxes(sites), given['batch_gt_instances'])
            is_object = (labels >= 0) & (labels < self.scores.num_classes)
            watched.sites = replace(sites, label=labels, is_object=is_object)
            watched.prediction = prediction
            return losses

        head.loss_by_feat = watch_loss
        try:
            with inner_maps(head, wanted.after) as maps:
                yield watched
        finally:
            del head.loss_by_feat
        if watched.is_empty:
            raise ConfigError(
                f'{self.key}.type: {type(self.detector).__name__} computes its loss without {self._type}.loss_by_feat, '
                'so its sites cannot be read'
            )

    def predict(self, features: Sequence[Tensor] | InnerMaps, sites: Sites, wanted: Wanted = WANTED) -> Prediction:
        """Run the head on all levels.

        Raises:
            ConfigError: If its maps are not those of ``sites``.
        """
        return self.begin(features, wanted)(sites)

    def begin(self, features: Sequence[Tensor] | InnerMaps, wanted: Wanted = WANTED) -> Callable[[Sites], Prediction]:
        """Run the head, which needs no sites: its scores take less memory than the features."""
        self._require_no(wanted.embeddings)
        with training_form(self.head), inner_maps(self.head, wanted.after) as maps:
            if isinstance(features, InnerMaps):
                with entered(self.head, features):
                    outputs = self.head(tuple(features.classes))
            else:
                outputs = self.head(tuple(features))
        prediction, grid = self._read(outputs, wanted.boxes)
        if wanted.after:
            prediction = replace(prediction, inner=InnerMaps(wanted.after, *maps).moments())

        def at(sites: Sites) -> Prediction:
            if grid != sites.where:
                raise ConfigError(
                    f'{self.key}: expected maps of {list(sites.where.shapes)}, as the student has, '
                    f'but got {list(grid.shapes)}'
                )
            return prediction

        return at

    def translation_to(self, student: SiteHead, groups: ClassGroups | None) -> DenseTranslation:
        """Translate classes; boxes only pass between heads of one type, whose units are the same."""
        return DenseTranslation(self, student, groups)

    def boxes(self, sites: Sites) -> Tensor:
        """Return the anchor of each site, or a square of the stride's size around its point."""
        grid: Grid = sites.where
        return priors(self.head, grid, sites.image.device).repeat(grid.images, 1)

    def why_no_embeddings(self) -> str:
        """Refuse: there is no classifier with one input for each site."""
        return (
            f'{self.key}: expected losses of logits or boxes, but one reads embeddings, which a {self._type} '
            'has not; they are what the classifier of a two-stage detector sees'
        )

    def why_not_after(self, teacher: SiteHead, after: int) -> str | None:
        """Compare the stacks of both heads."""
        if not isinstance(teacher, DenseHead):
            return None  # why_not rejects it
        reason = why_not_after(self.head, teacher.head, after)
        if reason is None:
            return None
        side, expected, found = reason
        key = self.key if side == 'student' else teacher.key
        return f'{key}: expected {expected}, for a loss with after={after}, but got {found}'

    def why_no_corners(self) -> str | None:
        """Refuse heads that predict something else than a box at each site."""
        decoder = decoder_of(self.head)
        if isinstance(decoder, str):
            return (
                f'{self.key}.type: expected a head with a box at each site, for a loss that compares boxes, '
                f'but {self._type} {decoder}'
            )
        return None

    def why_no_valuable_region(self) -> None:
        """Accept: every site has an anchor or a square."""

    def valuable_region(self, sites: Sites, objects: Sequence[Tensor]) -> Tensor:
        """Compare the anchors with the objects of each image."""
        grid: Grid = sites.where
        anchors = priors(self.head, grid, sites.image.device)
        return torch.cat([valuable_region(anchors, boxes, grid.sites_per_level) for boxes in objects])

    def decode(self, boxes: Tensor, sites: Sites) -> Tensor:
        """See :mod:`eakd_det.sites.dense_boxes`."""
        return decode(self.head, boxes, sites.where)

    def free_unused(self) -> None:
        """Drop mask head and assigner."""
        if 'mask_head' in self.detector._modules:
            del self.detector.mask_head
        self.head.assigner = self.head.sampler = None

    @property
    def _type(self) -> str:
        return type(self.head).__name__

    def _require_no(self, embeddings: bool) -> None:
        if embeddings:
            raise ConfigError(self.why_no_embeddings())

    def _read(self, outputs: Sequence[Any], boxes: bool = True) -> tuple[Prediction, Grid]:
        """Turn the head's maps into rows, which are copies."""
        levels = kind_of(self.head).logit_maps(self.head, outputs)
        columns = self.scores.num_columns
        shapes = tuple((level.shape[2], level.shape[3]) for level in levels)
        grid = Grid(len(levels[0]), shapes, tuple(level.shape[1] // columns for level in levels))
        return Prediction(rows(levels, grid), box_rows(outputs, grid) if boxes else None), grid

    @staticmethod
    def _sites(grid: Grid, device: torch.device) -> Sites:
        image = torch.arange(grid.images, device=device).repeat_interleave(grid.sites_per_image)
        return Sites(image=image, label=image, is_object=image < 0, where=grid)
