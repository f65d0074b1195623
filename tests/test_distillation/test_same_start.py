"""With one seed, a distilled student starts from the weights of the plain one: only the method may differ."""

from __future__ import annotations

import copy

import torch
from mmdet.registry import MODELS
from mmengine.registry import DefaultScope

from tests import tiny


def started(model):
    """What MMEngine's runner does with a model before the first step."""
    model.init_weights()
    return {name: value.clone() for name, value in model.state_dict().items()}


def test_distilled_student_starts_as_the_plain_one_does():
    cfg = tiny.faster_rcnn()
    with DefaultScope.overwrite_default_scope('mmdet'):
        torch.manual_seed(3)
        plain = started(MODELS.build(copy.deepcopy(cfg)))
        after_plain = torch.rand(3)
        torch.manual_seed(3)
        distilled = started(tiny.distill(copy.deepcopy(cfg), copy.deepcopy(cfg)))
        after_distilled = torch.rand(3)
    assert plain.keys() == distilled.keys()
    assert all(torch.equal(plain[name], distilled[name]) for name in plain)
    # MMDetection samples RoIs from the same generator, so the first steps see the same RoIs.
    assert torch.equal(after_plain, after_distilled)
