"""Deformable convolution compared with loops over its definition and with the compiled kernels."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from eakd_det.mm.ops import deform_conv, mmcv_functions

CASES = [  # groups, offset groups, stride, padding, dilation, modulated
    (1, 1, (1, 1), (1, 1), (1, 1), False),
    (2, 1, (2, 1), (0, 2), (1, 2), True),
    (1, 2, (1, 2), (1, 0), (2, 1), True),
    (2, 4, (1, 1), (1, 1), (1, 1), False),
]


@pytest.fixture(params=['python', 'torchvision'])
def kernel(request, monkeypatch):
    """Run the test with the PyTorch form and with torchvision's."""
    if request.param == 'python':
        monkeypatch.setattr(deform_conv, 'torchvision_ops', lambda: None)
    else:
        request.getfixturevalue('torchvision')
    return deform_conv.deform_conv2d


def data(groups, offset_groups, stride, padding, dilation, modulated, dtype=torch.float64):
    random = torch.Generator().manual_seed(0)
    features = torch.randn(2, 4, 6, 7, generator=random, dtype=torch.float64).to(dtype)
    weight = torch.randn(6, 4 // groups, 3, 2, generator=random, dtype=torch.float64).to(dtype)
    bias = torch.randn(6, generator=random, dtype=torch.float64).to(dtype)
    out = functional.conv2d(features, weight, None, stride, padding, dilation, groups).shape[2:]
    offset = torch.randn(2, offset_groups * 12, *out, generator=random, dtype=torch.float64).to(dtype) * 2
    mask = torch.rand(2, offset_groups * 6, *out, generator=random, dtype=torch.float64).to(dtype)
    return features, offset, weight, bias, stride, padding, dilation, mask if modulated else None


def by_loops(features, offset, weight, bias, stride, padding, dilation, mask):
    images, channels = features.shape[:2]
    out = bias.repeat(images, *offset.shape[2:], 1).permute(0, 3, 1, 2).clone()
    kh, kw = weight.shape[2:]
    offset_groups, groups = offset.size(1) // (2 * kh * kw), channels // weight.size(1)
    for n, o, i, j in torch.cartesian_prod(*(torch.arange(size) for size in out.shape)).tolist():
        for c in range(weight.size(1)):
            channel = o // (weight.size(0) // groups) * weight.size(1) + c
            group = channel // (channels // offset_groups)
            for a in range(kh):
                for b in range(kw):
                    k = group * kh * kw + a * kw + b
                    y = i * stride[0] - padding[0] + a * dilation[0] + float(offset[n, 2 * k, i, j])
                    x = j * stride[1] - padding[1] + b * dilation[1] + float(offset[n, 2 * k + 1, i, j])
                    scale = 1.0 if mask is None else mask[n, k, i, j]
                    out[n, o, i, j] += weight[o, c, a, b] * scale * bilinear(features[n, channel], y, x)
    return out


def bilinear(image, y, x):
    top, left, total = math.floor(y), math.floor(x), 0.0
    for row, row_weight in ((top, 1 - (y - top)), (top + 1, y - top)):
        for column, column_weight in ((left, 1 - (x - left)), (left + 1, x - left)):
            if 0 <= row < image.size(0) and 0 <= column < image.size(1):
                total += row_weight * column_weight * float(image[row, column])
    return total


@pytest.mark.parametrize('case', CASES)
def test_is_a_convolution_at_moved_places(kernel, case):
    inputs = data(*case)
    torch.testing.assert_close(kernel(*inputs), by_loops(*inputs))


@pytest.mark.parametrize('case', CASES)
def test_without_offsets_it_is_a_convolution(kernel, case):
    features, offset, weight, bias, *geometry, _ = data(*case)
    expected = functional.conv2d(features, weight, bias, *geometry, features.size(1) // weight.size(1))
    torch.testing.assert_close(kernel(features, offset * 0, weight, bias, *geometry), expected)


def test_gradients(kernel):
    features, offset, weight, bias, *geometry, mask = data(*CASES[2])
    inputs = [tensor.requires_grad_() for tensor in (features[:1, :, :4, :4], offset[:1, :, :4, :2], weight, bias)]
    mask = mask[:1, :, :4, :2]
    out = kernel(*(i.detach() for i in (features, offset, weight)), None, *geometry)
    assert out.shape[2:] == offset.shape[2:]
    geometry = [(1, 2), (1, 0), (1, 1)]
    inputs[1] = offset[:1, :, :4, :2].detach().requires_grad_()
    inputs.append(mask.detach().requires_grad_())
    assert torch.autograd.gradcheck(lambda f, o, w, b, m: kernel(f, o, w, b, *geometry, m), inputs)


@pytest.mark.parametrize('case', CASES)
def test_is_mmcvs(compiled, monkeypatch, case):
    monkeypatch.setattr(deform_conv, 'torchvision_ops', lambda: None)
    results = []
    for functions in (compiled, mmcv_functions):
        features, offset, weight, bias, *geometry, mask = data(*case, dtype=torch.float32)
        inputs = [tensor.requires_grad_() for tensor in (features, offset, weight)]
        if mask is None:
            out = functions.deform_conv2d(features, offset, weight, *geometry, case[0], case[1])
        else:
            inputs.append(mask.requires_grad_())
            out = functions.modulated_deform_conv2d(features, offset, mask, weight, bias, *geometry, case[0], case[1])
        (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
        results.append([out.detach(), *(tensor.grad for tensor in inputs)])
    for mmcvs, actual in zip(*results, strict=True):
        torch.testing.assert_close(actual, mmcvs, rtol=1e-4, atol=1e-4)
