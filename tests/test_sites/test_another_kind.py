"""A kind of head in one file: RetinaNet's anchors, with sigmoid scores, go through the whole step."""

from __future__ import annotations

import copy
import os
from contextlib import contextmanager
from dataclasses import replace

import mmdet
import pytest
import torch
from mmdet.models import RetinaNet
from mmengine.config import Config

from eakd_det.errors import ConfigError
from eakd_det.registry import MODELS
from eakd_det.sites import ClassTranslation, Prediction, RoIHead, SigmoidScores, SiteHead, Sites, Translation, Watched
from tests import tiny


class AnchorTranslation(Translation):
    def __init__(self, scores, groups):
        super().__init__()
        self.classes = None if groups is None else ClassTranslation(scores, groups)

    def forward(self, prediction):
        return prediction if self.classes is None else replace(prediction, logits=self.classes(prediction.logits))


class AnchorHead(SiteHead):
    kind = 'a RetinaNet'
    name = 'bbox_head'

    @classmethod
    def supports(cls, detector):
        return isinstance(detector, RetinaNet)

    @property
    def scores(self):
        return SigmoidScores(self.detector.bbox_head.num_classes)

    def problem(self):
        return None

    @contextmanager
    def watch(self, embeddings=False):
        head, watched = self.detector.bbox_head, Watched()
        loss_by_feat, get_targets = head.loss_by_feat, head.get_targets

        def watch_targets(*args, **kwargs):
            targets = get_targets(*args, **kwargs)
            labels = torch.cat(targets[0], dim=1)
            images = torch.arange(len(labels)).unsqueeze(1).expand_as(labels)
            is_object = labels < head.num_classes
            watched.sites = Sites(images.flatten(), labels.flatten(), is_object.flatten(), where=[len(labels)])
            return targets

        def watch_predictions(cls_scores, bbox_preds, *args, **kwargs):
            watched.prediction = self._rows(cls_scores, bbox_preds)
            return loss_by_feat(cls_scores, bbox_preds, *args, **kwargs)

        head.get_targets, head.loss_by_feat = watch_targets, watch_predictions
        try:
            yield watched
        finally:
            del head.get_targets, head.loss_by_feat

    def _rows(self, cls_scores, bbox_preds):
        columns = {'logits': (cls_scores, self.scores.num_columns), 'boxes': (bbox_preds, 4)}
        return Prediction(
            **{
                name: torch.cat(
                    [level.permute(0, 2, 3, 1).flatten(1).unflatten(1, (-1, width)) for level in levels], 1
                ).flatten(0, 1)
                for name, (levels, width) in columns.items()
            }
        )

    def predict(self, features, sites, embeddings=False):
        return self._rows(*self.detector.bbox_head(features))

    def translation_to(self, student, groups):
        return AnchorTranslation(self.scores, groups)

    def boxes(self, sites):
        return torch.zeros(len(sites), 4)

    def free_unused(self):
        """Everything is used."""


class ScoreDistance(torch.nn.Module):
    def forward(self, preds_S, preds_T, objects):
        distance = (preds_S.sigmoid() - preds_T.sigmoid()).square().sum()
        return distance / objects.sum().clamp(min=1)


def retinanet(num_classes=3, seed=0):
    path = os.path.join(os.path.dirname(mmdet.__file__), '.mim/configs/retinanet/retinanet_r18_fpn_1x_coco.py')
    cfg = Config.fromfile(path).model
    cfg.backbone = tiny.faster_rcnn().backbone
    cfg.neck.update(in_channels=[8, 16, 32, 64], out_channels=16)
    cfg.bbox_head.update(num_classes=num_classes, in_channels=16, feat_channels=16, stacked_convs=1)
    return tiny.build(cfg, seed)


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setattr('eakd_det.sites.heads.HEADS', (RoIHead, AnchorHead))
    monkeypatch.setitem(MODELS.module_dict, 'ScoreDistance', ScoreDistance)


def distill(student, teacher, **kwargs):
    sources = dict(
        preds_S=('proposal_logits', True), preds_T=('proposal_logits', False), objects=('proposal_objects', True)
    )
    reads = {name: dict(recorder=recorder, from_student=side) for name, (recorder, side) in sources.items()}
    return tiny.distill(
        student,
        teacher,
        dict(loss_score=dict(type='eakd_det.ScoreDistance')),
        distiller=dict(loss_forward_mappings=dict(loss_score=reads)),
        **kwargs,
    ).train()


def test_a_step_at_all_anchors():
    stock, teacher = retinanet().train(), retinanet(seed=1)
    model = distill(copy.deepcopy(stock), teacher)
    steps = tiny.steps_of(model)
    losses = tiny.step(model, tiny.batch())
    for name, value in tiny.step(stock, tiny.batch()).items():
        assert all(map(torch.equal, value, losses[f'student.{name}']))
    (step,) = steps
    assert len(step.sites) > 1000
    assert step.student.logits.shape == step.teacher.logits.shape == (len(step.sites), 3)
    assert 0 < step.sites.num_objects < len(step.sites)
    assert losses['distill.loss_score'] > 0
    assert 0 < losses['distill.entropy_student'] <= SigmoidScores(3).max_entropy


def test_a_teacher_with_other_classes():
    model = distill(retinanet(), retinanet(5, seed=1), class_map=[[0, 1], 2, 3])
    steps = tiny.steps_of(model)
    assert tiny.step(model, tiny.batch())['distill.loss_score'] > 0
    assert steps[0].teacher.logits.shape == steps[0].student.logits.shape


def test_another_kind_of_teacher_is_refused():
    with pytest.raises(
        ConfigError, match=r'^model\.teacher\.roi_head\.bbox_head: expected a RetinaNet, as the student'
    ):
        distill(retinanet(), tiny.build(tiny.faster_rcnn(), seed=1))
