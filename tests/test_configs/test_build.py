"""Every config and every method builds; those of the COCO pairs at full width, frozen as the recipe says."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mmdet.models import TwoStageDetector
from mmengine.registry import HOOKS, MODELS, DefaultScope
from torch.nn.modules.batchnorm import _BatchNorm

from eakd_det.distillation import ProposalDistill
from eakd_det.errors import ConfigError
from eakd_det.models.model_config import read_model_config
from tests.test_configs.catalogue import (
    DENSE_ONLY,
    DENSE_PAIRS,
    NAMES,
    PAIRS,
    RECIPE,
    REFUSED_FOR_PROPOSALS,
    ROOT,
    composed,
    load,
    offline,
)

ALL = [
    *NAMES,
    *(
        composed(path.stem)
        for path in sorted((ROOT / 'methods').glob('*.py'))
        if path.stem not in REFUSED_FOR_PROPOSALS
    ),
    *(composed(method, pair) for pair in PAIRS for method in ('review-kd', 'pad')),  # with the widths of the pair
]
QUICK = ('student_', 'ea-kd_', 'review-kd_', 'teacher_')
CHANNELS = {'r18': [64, 128, 256, 512], 'mv2': [24, 32, 96, 320], 'r50': [256, 512, 1024, 2048]}


def _quick_or_slow(name: str) -> Any:
    """At full width, methods differ little in what they build."""
    folder, _, file = name.partition('/')
    is_slow = folder in ('r101_r18', 'r50_mv2') and not file.startswith(QUICK)
    return pytest.param(name, marks=pytest.mark.slow if is_slow else ())


@pytest.mark.parametrize('name', map(_quick_or_slow, ALL))
def test_builds(name, monkeypatch):
    for draw in ('kaiming_uniform_', 'uniform_', 'normal_'):  # most of a build's time, and no value matters here
        monkeypatch.setattr(torch.nn.init, draw, lambda tensor, *args, **kwargs: tensor)
    cfg = offline(load(name))
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(cfg.model)
        for hook in cfg.get('custom_hooks', []):
            assert type(HOOKS.build(hook)).__name__ == hook.type.removeprefix('eakd_det.')
    assert isinstance(model, ProposalDistill) == ('architecture' in cfg.model)
    student = getattr(model, 'student', model)
    assert isinstance(student, TwoStageDetector)
    if name in RECIPE:
        _require_recipe(student, next(kind for kind in CHANNELS if f'{kind}_fpn' in name))


@pytest.mark.parametrize('method', DENSE_ONLY)
def test_a_method_of_dense_heads_builds_for_them(method):
    cfg = offline(load(composed(method, 'gfl-r18w32-r18w16_demo')))
    with DefaultScope.overwrite_default_scope('mmdet'):
        assert isinstance(MODELS.build(cfg.model), ProposalDistill)


@pytest.mark.parametrize('method', REFUSED_FOR_PROPOSALS)
def test_a_method_of_dense_heads_is_refused_for_a_two_stage_head(method):
    cfg = offline(load(composed(method)))
    with DefaultScope.overwrite_default_scope('mmdet'), pytest.raises(ConfigError) as caught:
        MODELS.build(cfg.model)
    assert '\n' not in str(caught.value)


def _require_recipe(student: torch.nn.Module, kind: str) -> None:
    student.train()
    norms = [module for module in student.modules() if isinstance(module, _BatchNorm)]
    assert not any(norm.training or parameter.requires_grad for norm in norms for parameter in norm.parameters())
    assert student.roi_head.bbox_head.fc_cls.out_features == 81
    assert [conv.in_channels for conv in student.neck.lateral_convs] == CHANNELS[kind]
    backbone = student.backbone
    if kind == 'mv2':
        frozen, first_trained = [backbone.conv2], backbone.conv1.conv
    else:
        frozen, first_trained = [backbone.conv1, backbone.layer1], backbone.layer2[0].conv1
    assert not any(parameter.requires_grad for module in frozen for parameter in module.parameters())
    assert all(parameter.requires_grad for parameter in first_trained.parameters())


@pytest.mark.parametrize('name', DENSE_PAIRS)
def test_dense_pairs_divide_by_objects_and_weigh_at_a_temperature_of_1(name):
    for method in ('kd', 'ea-kd', 'kd-matched', 'cross-head', 'ea-cross-head'):
        (loss,) = load(composed(method, name)).model.distiller.distill_losses.values()
        assert loss.reduction == 'objects'
        assert loss.weighting.get('tau', 1.0) == 1.0


@pytest.mark.parametrize('name', DENSE_PAIRS)
def test_fgd_compares_the_pyramids_of_dense_pairs(name):
    model = load(composed('fgd', name)).model
    loss = model.distiller.distill_losses.loss_fgd
    necks = [read_model_config(model[side], side).neck for side in ('architecture', 'teacher')]
    necks = [neck[0] if isinstance(neck, list) else neck for neck in necks]
    assert [loss.get(f'{side}_channels', 256) for side in ('student', 'teacher')] == [n.out_channels for n in necks]
    assert all(loss.num_levels == neck.get('num_outs', 3) for neck in necks)
    assert loss.foreground_weight >= 1e-3
