"""A cheaper teacher predicts the same."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from eakd_det.errors import ConfigError
from eakd_det.models import memory_layout
from eakd_det.teachers import options as teacher_options
from tests import tiny


@pytest.fixture(scope='module')
def student():
    return tiny.build(tiny.faster_rcnn())


@pytest.fixture(scope='module')
def trained():
    """A teacher whose BatchNorm has seen data, so that folding it changes every convolution."""
    detector = tiny.build(tiny.faster_rcnn(), seed=1).train()
    for seed in range(3):
        tiny.step(detector, tiny.batch(seed=seed), seed)
    for module in detector.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
    return detector.eval()


def predict(student, trained, **options):
    model = tiny.distill(copy.deepcopy(student), copy.deepcopy(trained), teacher_options=options).train()
    steps = tiny.steps_of(model)
    tiny.step(model, tiny.batch())
    return steps[0].teacher.logits, model


@pytest.mark.parametrize(
    ('options', 'tolerance'),
    [
        (dict(), 1e-4),
        (dict(channels_last=True), 1e-4),
        (dict(channels_last=False), 1e-4),
        (dict(fuse_norm=False, channels_last=True), 1e-4),
        (dict(free_unused=True), 1e-4),
        (dict(dtype='bfloat16', channels_last=True), 0.1),
        (dict(dtype='auto'), 0.1),
    ],
    ids=str,
)
def test_logits_stay_what_they_were(student, trained, options, tolerance):
    expected, _ = predict(student, trained, enabled=False)
    actual, _ = predict(student, trained, **options)
    scale = expected.abs().max()
    assert (actual.float() - expected).abs().max() < tolerance * scale
    assert torch.isfinite(actual).all()


def test_by_default_no_norm_is_left_to_run(student, trained):
    def norms(model):
        return [module for module in model.teacher.modules() if isinstance(module, nn.BatchNorm2d)]

    assert not norms(predict(student, trained)[1])
    assert norms(predict(student, trained, enabled=False, channels_last=True)[1])


def test_what_a_recorder_looks_into_is_not_folded(student, trained):
    inside = dict(conv=dict(type='ModuleOutputs', source='backbone.layer4.1.conv2'))
    model = tiny.distill(copy.deepcopy(student), copy.deepcopy(trained), distiller=dict(teacher_recorders=inside))
    assert any(isinstance(module, nn.BatchNorm2d) for module in model.teacher.backbone.modules())
    whole = dict(neck=dict(type='ModuleOutputs', source='neck'))
    model = tiny.distill(copy.deepcopy(student), copy.deepcopy(trained), distiller=dict(teacher_recorders=whole))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in model.teacher.modules())


def neck_layout(model):
    """Whether the teacher's finest level is in channels-last memory."""
    seen = []
    handle = model.teacher.neck.register_forward_hook(lambda module, inputs, levels: seen.append(levels[0]))
    tiny.step(model, tiny.batch())
    handle.remove()
    return seen[0].is_contiguous(memory_format=torch.channels_last)


def test_channels_last_on_a_cpu_unless_a_recorder_looks_at_feature_maps(student, trained, monkeypatch):
    monkeypatch.setattr(memory_layout, 'LEAST_PIXELS', 1)

    def layout(**kwargs):
        return neck_layout(tiny.distill(copy.deepcopy(student), copy.deepcopy(trained), **kwargs).train())

    neck = dict(teacher_recorders=dict(neck=dict(type='ModuleOutputs', source='neck')))
    assert layout()
    assert not layout(distiller=neck)
    assert layout(distiller=neck, teacher_options=dict(channels_last=True))
    assert not layout(teacher_options=dict(enabled=False))


def test_unused_parts_can_be_let_go(student, trained):
    _, model = predict(student, trained, free_unused=True)
    assert not model.teacher.with_rpn
    assert not any('rpn' in name for name, _ in model.teacher.named_parameters())


def test_misspelt_options_are_named():
    with pytest.raises(ConfigError, match=r'model\.teacher_options\.fuse_bn: .*fuse_norm.*'):
        teacher_options.TeacherOptions.from_config(dict(fuse_bn=True))
    with pytest.raises(ConfigError, match=r"model\.teacher_options\.dtype: expected one of .* but got 'half'"):
        teacher_options.TeacherOptions.from_config(dict(dtype='half'))


@pytest.mark.parametrize(('bfloat16_seconds', 'expected'), [(0.5, torch.bfloat16), (2.0, None)])
def test_auto_takes_the_faster_dtype(monkeypatch, bfloat16_seconds, expected):
    monkeypatch.setattr(
        teacher_options, '_seconds', lambda layer, maps: bfloat16_seconds if maps.dtype == torch.bfloat16 else 1.0
    )
    assert teacher_options._faster_dtype.__wrapped__('cpu') == expected
