"""A student on channels-last memory learns what it would have learnt, and is saved as it would have been."""

from __future__ import annotations

import copy

import pytest
import torch
from mmcv.ops import ModulatedDeformConv2d, RoIAlign
from torch import nn

from eakd_det.errors import ConfigError
from eakd_det.models import memory_layout
from tests import tiny


@pytest.fixture(scope='module')
def pair():
    return tiny.build(tiny.faster_rcnn()), tiny.build(tiny.faster_rcnn(), seed=1)


def make(pair, **kwargs):
    student, teacher = copy.deepcopy(pair)
    return tiny.distill(student, teacher, **kwargs).train()


def layouts(model):
    """Whether each of the student's backbone, neck and RPN head gets channels-last maps in a training step."""
    seen = {}
    student = model.student
    for name in ('backbone.layer1', 'neck.fpn_convs.0.conv', 'rpn_head.rpn_conv'):
        student.get_submodule(name).register_forward_hook(
            lambda module, inputs, output, name=name: seen.update(
                {name: inputs[0].is_contiguous(memory_format=torch.channels_last)}
            )
        )
    losses = tiny.step(model, tiny.batch())
    return set(seen.values()), losses


def gradients(model):
    return {name: parameter.grad for name, parameter in model.student.named_parameters()}


@pytest.mark.parametrize('base', ['faster-rcnn_r50_fpn', 'cascade-rcnn_r50_fpn'])
def test_losses_and_gradients_stay_what_they_were_to_rounding(base):
    cfg = tiny.faster_rcnn(base=base)
    pair = tiny.build(cfg), tiny.build(cfg, seed=1)
    stock, changed = (make(pair, student_options=dict(channels_last=option)) for option in (False, True))
    losses, changed_losses = tiny.step(stock, tiny.batch()), tiny.step(changed, tiny.batch())
    assert losses.keys() == changed_losses.keys()
    for name, value in losses.items():
        torch.testing.assert_close(changed_losses[name], value, rtol=1e-3, atol=1e-5)
    changed_gradients, compared = gradients(changed), 0
    for name, gradient in gradients(stock).items():
        if gradient is not None:
            error = (changed_gradients[name] - gradient).norm() / gradient.norm().clamp(min=1e-6)
            assert error < 0.1, name  # tiny layers magnify rounding to 0.02; memory read wrongly gives 1
            assert changed_gradients[name].is_contiguous(), name
            compared += 1
    assert compared > 50


@pytest.mark.parametrize(
    ('options', 'least_pixels', 'expected'),
    [
        (None, 1, True),
        (None, 2**30, False),
        (dict(channels_last=False), 1, False),
        (dict(channels_last=True), 2**30, True),
    ],
    ids=str,
)
def test_layout_is_chosen_by_the_size_of_the_batch_or_by_option(pair, monkeypatch, options, least_pixels, expected):
    monkeypatch.setattr(torch.backends.cpu, 'get_cpu_capability', lambda: 'AVX512')
    monkeypatch.setattr(memory_layout, 'LEAST_PIXELS', least_pixels)
    assert layouts(make(pair, student_options=options))[0] == {expected}


@pytest.mark.parametrize('capability', ['AVX2', 'DEFAULT'])
def test_other_processors_train_as_in_mmdetection(pair, monkeypatch, capability):
    monkeypatch.setattr(torch.backends.cpu, 'get_cpu_capability', lambda: capability)
    monkeypatch.setattr(memory_layout, 'LEAST_PIXELS', 1)
    assert layouts(make(pair))[0] == {False}
    assert layouts(make(pair, student_options=dict(channels_last=True)))[0] == {True}


def test_recorder_on_feature_maps_keeps_the_layout_by_default(pair, monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, 'get_cpu_capability', lambda: 'AVX512')
    monkeypatch.setattr(memory_layout, 'LEAST_PIXELS', 1)
    neck = dict(student_recorders=dict(neck=dict(type='ModuleOutputs', source='neck')))
    assert layouts(make(pair, distiller=neck))[0] == {False}
    assert layouts(make(pair, distiller=neck, student_options=dict(channels_last=True)))[0] == {True}


def test_checkpoint_and_evaluation_do_not_change(pair):
    stock, model = copy.deepcopy(pair[0]), make(pair, student_options=dict(channels_last=True))
    state = model.state_dict()
    assert state.keys() == stock.state_dict().keys()
    for name, value in stock.state_dict().items():
        assert torch.equal(state[name], value), name
        assert state[name].stride() == value.stride(), name
    images = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        for distilled, plain in zip(
            model.student.eval().extract_feat(images), stock.eval().extract_feat(images), strict=True
        ):
            assert torch.equal(distilled, plain)
            assert distilled.is_contiguous()


def test_copy_of_the_model_for_ema_trains_alike(pair):
    model = make(pair, student_options=dict(channels_last=True))
    twin = copy.deepcopy(model)
    losses, copied = tiny.step(model, tiny.batch()), tiny.step(twin, tiny.batch())
    assert all(torch.equal(copied[name], value) for name, value in losses.items() if isinstance(value, torch.Tensor))


def test_misspelt_option_is_named(pair):
    with pytest.raises(ConfigError, match=r'model\.student_options\.layout: expected an argument among channels_last'):
        make(pair, student_options=dict(layout='NHWC'))


class TestMemoryLayout:
    def test_roi_align_reads_both_layouts_alike(self):
        layer = nn.Sequential(RoIAlign(7, 0.25, 0))
        maps = torch.rand(2, 5, 24, 32)
        rois = torch.tensor([[0, 3.0, 5, 70, 60], [1, -8, 20, 130, 99], [1, 4, 4, 4, 4], [0, 0, 0, 128, 96]])
        expected = layer[0](maps, rois)
        memory_layout.accept_any_layout(layer)
        assert torch.equal(layer[0](maps, rois), expected)
        last = maps.contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(layer[0](last, rois), expected, atol=1e-5, rtol=1e-5)

    def test_deformable_convolution_keeps_channels_first(self):
        net = nn.ModuleDict(dict(backbone=nn.Conv2d(3, 3, 1)))
        assert not memory_layout.prefers_channels_first(net, [])
        net['backbone'] = ModulatedDeformConv2d(3, 3, 1)
        assert memory_layout.prefers_channels_first(net, [])

    @pytest.mark.parametrize(('shape', 'expected'), [((1, 3, 362, 362), False), ((2, 3, 256, 256), True)])
    def test_small_batches_stay_as_they_are(self, shape, expected):
        images = memory_layout.arrange(torch.zeros(shape), None)
        assert images.is_contiguous(memory_format=torch.channels_last) == expected

    def test_channels_first_is_restored_on_request(self):
        images = torch.rand(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
        assert memory_layout.arrange(images, False).is_contiguous()
