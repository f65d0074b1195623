"""Every config builds, at full width, and its parts are what the recipe says."""

from __future__ import annotations

import pytest
import torch
from mmdet.models import FasterRCNN
from mmengine.registry import HOOKS, MODELS, DefaultScope
from torch.nn.modules.batchnorm import _BatchNorm

from eakd_det.distillation import ProposalDistill
from tests.test_configs.catalogue import NAMES, load, offline

CHANNELS = {'r18': [64, 128, 256, 512], 'mv2': [24, 32, 96, 320], 'r50': [256, 512, 1024, 2048]}


def build(name: str) -> torch.nn.Module:
    with DefaultScope.overwrite_default_scope('mmdet'):
        return MODELS.build(offline(load(name)).model)


@pytest.mark.parametrize('name', NAMES)
def test_builds(name):
    model = build(name)
    student = getattr(model, 'student', model)
    assert isinstance(student, FasterRCNN)
    assert isinstance(model, ProposalDistill) == ('architecture' in load(name).model)
    assert not any(p.requires_grad for m in student.modules() if isinstance(m, _BatchNorm) for p in m.parameters())
    student.train()
    assert not any(module.training for module in student.modules() if isinstance(module, _BatchNorm))
    assert student.roi_head.bbox_head.fc_cls.out_features == 81
    kind = next(kind for kind in CHANNELS if f'{kind}_fpn' in name)
    assert [conv.in_channels for conv in student.neck.lateral_convs] == CHANNELS[kind]
    if kind == 'mv2':
        assert all(p.requires_grad for p in student.backbone.conv1.conv.parameters())
        assert not any(p.requires_grad for p in student.backbone.conv2.parameters())
    else:
        frozen = [student.backbone.conv1, student.backbone.layer1]
        assert not any(p.requires_grad for module in frozen for p in module.parameters())
        assert all(p.requires_grad for p in student.backbone.layer2[0].conv1.parameters())


@pytest.mark.parametrize('name', NAMES[:1])
def test_hooks_build(name):
    with DefaultScope.overwrite_default_scope('mmdet'):
        for hook in load(name).custom_hooks:
            assert type(HOOKS.build(hook)).__name__ == hook.type.removeprefix('eakd_det.')
