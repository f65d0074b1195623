"""Which detectors can be distilled, and why others cannot."""

from __future__ import annotations

import os

import mmdet
import pytest
from mmengine.config import Config

from eakd_det.errors import ConfigError
from eakd_det.sites import RoIHead, SigmoidScores, SoftmaxScores, find_head, num_classes
from tests import tiny


def detr():
    cfg = Config.fromfile(os.path.join(os.path.dirname(mmdet.__file__), '.mim/configs/detr/detr_r50_8xb2-150e_coco.py'))
    cfg.model.backbone.init_cfg = None
    return tiny.build(cfg.model)


@pytest.fixture(scope='module')
def faster():
    return tiny.build(tiny.faster_rcnn())


@pytest.mark.parametrize(('side', 'key'), [('student', 'architecture'), ('teacher', 'teacher')])
def test_a_query_detector_is_refused_by_name(side, key):
    detector = detr()
    with pytest.raises(ConfigError, match=rf'^model\.{key}: expected a two-stage detector.*but got DETR'):
        find_head(detector, side)
    assert num_classes(detector) is None


def test_a_sigmoid_head_is_refused():
    cfg = tiny.faster_rcnn()
    cfg.roi_head.bbox_head.loss_cls.use_sigmoid = True
    with pytest.raises(ConfigError, match=r'^model\.teacher\.roi_head\.bbox_head\.loss_cls: expected a softmax'):
        find_head(tiny.build(cfg), 'teacher')


def test_the_key_is_where_the_head_stands_in_the_config(faster):
    assert find_head(faster, 'student').key == 'model.architecture.roi_head.bbox_head'
    assert find_head(faster, 'teacher').key == 'model.teacher.roi_head.bbox_head'
    assert num_classes(faster) == 3


class SigmoidStudent(RoIHead):
    """A head that differs from its teacher in its scores alone."""

    @property
    def scores(self):
        return SigmoidScores(3) if self.side == 'student' else SoftmaxScores(3)


class OtherHead(RoIHead):
    kind = 'a detector of another kind'


def test_what_does_not_fit_is_one_line_that_names_both_sides(faster):
    student = find_head(faster, 'student')
    assert student.why_not(find_head(faster, 'teacher')) is None
    more = find_head(tiny.build(tiny.faster_rcnn(num_classes=5)), 'teacher')
    reasons = [
        student.why_not(more),
        student.why_not(OtherHead(faster, 'teacher')),
        SigmoidStudent(faster, 'student').why_not(SigmoidStudent(faster, 'teacher')),
    ]
    for reason in reasons:
        assert '\n' not in reason
        assert 'model.architecture.roi_head.bbox_head' in reason
        assert 'model.teacher.roi_head.bbox_head' in reason
    assert student.why_not(more, same_classes=False) is None
