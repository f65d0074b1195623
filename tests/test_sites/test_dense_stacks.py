"""The head of a dense detector, read and entered after some of its convolutions."""

from __future__ import annotations

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.functional import InnerMaps
from eakd_det.sites.dense_running import training_form
from eakd_det.sites.dense_stacks import entered, inner_maps
from tests import tiny

CROSS = dict(type='eakd_det.CrossHeadLoss', focal_beta=1.0, reduction='objects')
NAMES = ('gfl', 'retinanet', 'fcos', 'atss', 'rtmdet')


def config(name, **head):
    cfg = tiny.dense(name)
    cfg.bbox_head.update(stacked_convs=3, **head)
    return cfg


def features_of(detector):
    return [level.detach() for level in detector.extract_feat(torch.randn(2, 3, 64, 96))]


@pytest.mark.parametrize('after', [1, 2])
@pytest.mark.parametrize('name', NAMES)
def test_the_head_goes_on_where_it_was_read(name, after):
    detector = tiny.build(config(name)).eval()
    head, levels = detector.bbox_head, features_of(detector)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    modules = dict(head.named_modules())
    with torch.no_grad(), training_form(head):
        with inner_maps(head, after) as maps:
            whole = head(tuple(levels))
        assert [level.shape[-2:] for level in maps[0]] == [level.shape[-2:] for level in levels]
        with entered(head, InnerMaps(after, *maps)):
            rest = head(tuple(torch.full_like(level, torch.nan) for level in maps[0]))
    assert dict(head.named_modules()) == modules
    for ours, theirs in zip(whole, rest, strict=True):
        torch.testing.assert_close(list(ours), list(theirs))


def test_maps_are_those_after_the_activation():
    detector = tiny.build(config('gfl'))
    head, levels = detector.bbox_head, features_of(detector)
    with inner_maps(head, 2) as (classes, boxes):
        head(tuple(levels))
    torch.testing.assert_close(classes[0], head.cls_convs[1](head.cls_convs[0](levels[0])))
    torch.testing.assert_close(boxes[0], head.reg_convs[1](head.reg_convs[0](levels[0])))
    assert classes[0].requires_grad


@pytest.mark.parametrize('name', NAMES)
def test_gradients_reach_what_the_student_did_itself(name):
    cfg = config(name)
    model = tiny.distill(cfg, cfg, dict(loss_kd=dict(CROSS, after=2))).train()
    losses = model(**model.data_preprocessor(tiny.batch(), training=True), mode='loss')
    assert losses['distill.loss_kd'] > 0
    losses['distill.loss_kd'].backward()
    head = model.student.bbox_head
    for branch in (head.cls_convs, head.reg_convs):
        stack = branch[0] if isinstance(branch[0], torch.nn.ModuleList) else branch
        reached = [conv.conv.weight.grad is not None and bool(conv.conv.weight.grad.any()) for conv in stack]
        assert reached == [branch is head.cls_convs] * 2 + [False]
    assert all(parameter.grad is None for parameter in model.teacher.parameters())


@pytest.mark.parametrize(
    ('student', 'teacher', 'after', 'message'),
    [
        (
            config('gfl'),
            config('gfl'),
            3,
            r'model\.architecture\.bbox_head: .* more than 3 convolutions, .* with 3',
        ),
        (
            config('gfl'),
            config('gfl', feat_channels=64),
            1,
            r'model\.teacher\.bbox_head: .* 32 channels, .* got 64',
        ),
        (
            tiny.dense('yolox'),
            tiny.dense('yolox'),
            1,
            r'model\.architecture\.bbox_head: .* cls_convs and reg_convs',
        ),
        (tiny.faster_rcnn(), tiny.faster_rcnn(), 1, r'model\.architecture\.roi_head\.bbox_head: .* a dense head'),
    ],
)
def test_what_cannot_be_entered_is_one_line_that_names_the_key(student, teacher, after, message):
    loss = dict(type='eakd_det.CrossHeadLoss', after=after)
    with pytest.raises(ConfigError, match=f'^{message}') as caught:
        tiny.distill(student, teacher, dict(loss_kd=loss))
    assert '\n' not in str(caught.value)


def test_losses_agree_on_where_the_head_is_entered():
    losses = {f'loss_{after}': dict(CROSS, after=after) for after in (1, 2)}
    with pytest.raises(ConfigError, match=r'^model\.distiller\.distill_losses: expected one value of after'):
        tiny.distill(config('gfl'), config('gfl'), losses)
