"""Winograd's convolution is the convolution."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d

from eakd_det.models import use_winograd, winograd
from eakd_det.models.winograd import WinogradConv2d, winograd_conv3x3


@pytest.mark.parametrize('size', [(1, 1), (4, 4), (5, 9), (33, 18), (70, 3)], ids=str)
@pytest.mark.parametrize('with_bias', [True, False])
def test_is_the_convolution(size, with_bias):
    torch.manual_seed(0)
    images, weight = torch.randn(2, 3, *size).double(), torch.randn(5, 3, 3, 3).double()
    bias = torch.randn(5).double() if with_bias else None
    torch.testing.assert_close(winograd_conv3x3(images, weight, bias), conv2d(images, weight, bias, padding=1))


def test_gradients_are_those_of_the_convolution():
    inputs = [torch.randn(shape).double().requires_grad_() for shape in ((2, 3, 7, 6), (4, 3, 3, 3), (4,))]
    assert torch.autograd.gradcheck(winograd_conv3x3, inputs)


def test_float32_is_off_by_rounding_alone():
    torch.manual_seed(0)
    images, weight = torch.randn(1, 256, 40, 40), torch.randn(256, 256, 3, 3)
    exact = conv2d(images.double(), weight.double(), padding=1)
    assert (winograd_conv3x3(images, weight) - exact).abs().max() < 1e-4 * exact.abs().max()


@pytest.mark.parametrize('bias', [torch.randn(4), None], ids=['bias', 'no bias'])
@pytest.mark.parametrize('channels_last', [True, False])
def test_result_is_channels_last_whatever_the_input_is(channels_last, bias):
    layout = torch.channels_last if channels_last else torch.contiguous_format
    images = torch.randn(1, 3, 9, 8).contiguous(memory_format=layout)
    result = winograd_conv3x3(images, torch.randn(4, 3, 3, 3), bias)
    assert result.is_contiguous(memory_format=torch.channels_last)


def wide(**kwargs) -> nn.Conv2d:
    return nn.Conv2d(256, 256, 3, **{'padding': 1, **kwargs})


@pytest.mark.parametrize(
    'layer',
    [wide(stride=2), wide(padding=0), wide(dilation=2, padding=2), wide(groups=2), nn.Conv2d(64, 256, 3, padding=1)],
    ids=str,
)
def test_other_layers_stay(layer):
    use_winograd(layer)
    assert type(layer) is nn.Conv2d


def test_layer_keeps_its_parameters_and_can_be_copied():
    layer = wide()
    state = copy.deepcopy(layer.state_dict())
    use_winograd(layer)
    assert type(copy.deepcopy(layer)) is WinogradConv2d
    assert layer.state_dict().keys() == state.keys()
    assert all(torch.equal(layer.state_dict()[name], value) for name, value in state.items())


@pytest.fixture
def calls(monkeypatch):
    seen = []
    monkeypatch.setattr(
        winograd, 'winograd_conv3x3', lambda *args: seen.append(args[0].shape) or winograd_conv3x3(*args)
    )
    return seen


def test_only_large_maps_in_float32_take_it(calls):
    layer, large = wide(), torch.randn(1, 256, 32, 32)
    use_winograd(layer)
    layer(large[:, :, :8])
    copy.deepcopy(layer).double()(large.double())
    with torch.autocast('cpu', torch.bfloat16):
        layer(large)
    assert not calls
    layer(large)
    assert calls == [large.shape]
