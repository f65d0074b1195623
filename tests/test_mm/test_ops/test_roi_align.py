"""RoIAlign compared with loops over its definition, mmcv's kernel and torchvision's."""

from __future__ import annotations

import math

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.mm.ops import roi_align as module
from eakd_det.mm.ops.roi_align import roi_align

SHAPES = [(2, 3, 9, 13), (2, 1, 9, 13), (1, 5, 1, 1)]
OPTIONS = [
    (output_size, sampling_ratio, aligned)
    for output_size in ((3, 2), (7, 7), (1, 1))
    for sampling_ratio in (0, 1, 3)
    for aligned in (True, False)
]
SCALE = 0.25


def by_loops(features, rois, output_size, scale, sampling_ratio, aligned):
    """The definition, sample by sample, in float64."""
    features, rois = features.double(), rois.double()
    out = []
    for image, *box in rois.tolist():
        x1, y1, x2, y2 = (value * scale - (0.5 if aligned else 0) for value in box)
        size_y, size_x = (y2 - y1, x2 - x1) if aligned else (max(y2 - y1, 1.0), max(x2 - x1, 1.0))
        step_y, step_x = size_y / output_size[0], size_x / output_size[1]
        number_y, number_x = (sampling_ratio or max(math.ceil(step), 0) for step in (step_y, step_x))
        for i in range(output_size[0]):
            for j in range(output_size[1]):
                total = features.new_zeros(features.size(1))
                for s in range(number_y):
                    for t in range(number_x):
                        y = y1 + (i + (s + 0.5) / number_y) * step_y
                        x = x1 + (j + (t + 0.5) / number_x) * step_x
                        total += bilinear(features[int(image)], y, x)
                out.append(total / max(number_y * number_x, 1))
    return torch.stack(out).view(len(rois), *output_size, -1).permute(0, 3, 1, 2)


def bilinear(image, y, x):
    height, width = image.shape[1:]
    if not (-1 <= y <= height and -1 <= x <= width):
        return image.new_zeros(len(image))
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    dy, dx = y - top, x - left
    upper = image[:, top, left] * (1 - dx) + image[:, top, right] * dx
    return upper * (1 - dy) + (image[:, bottom, left] * (1 - dx) + image[:, bottom, right] * dx) * dy


def boxes(images: int, count: int = 12, size: float = 50.0, seed: int = 0) -> torch.Tensor:
    """Boxes of all sizes, some of which reach beyond the image or lie outside of it."""
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=generator) * size * 1.6 - 0.4 * size
    extent = torch.rand(count, 2, generator=generator) ** 2 * size * 1.5
    image = torch.randint(images, (count, 1), generator=generator).float()
    return torch.cat([image, corner, corner + extent], 1)


def features_of(shape, dtype=torch.float32, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


@pytest.mark.parametrize('shape', SHAPES)
@pytest.mark.parametrize(('output_size', 'sampling_ratio', 'aligned'), OPTIONS)
def test_is_the_mean_of_bilinear_samples(shape, output_size, sampling_ratio, aligned):
    features, rois = features_of(shape, torch.float64), boxes(shape[0]).double()
    actual = roi_align(features, rois, output_size, SCALE, sampling_ratio, aligned)
    torch.testing.assert_close(actual, by_loops(features, rois, output_size, SCALE, sampling_ratio, aligned))


def test_hand_values():
    ramp = torch.arange(6.0).expand(1, 1, 6, 6)  # the value of a pixel is its x
    box = torch.tensor([[0.0, 1.0, 1.0, 5.0, 5.0]])
    assert roi_align(ramp, box, 2, aligned=True)[0, 0].tolist() == [[1.5, 3.5], [1.5, 3.5]]
    assert roi_align(ramp, box, 2, aligned=False)[0, 0].tolist() == [[2.0, 4.0], [2.0, 4.0]]


@pytest.mark.parametrize('shape', SHAPES)
@pytest.mark.parametrize(('output_size', 'sampling_ratio', 'aligned'), OPTIONS)
@pytest.mark.parametrize('kernel', ['compiled', 'torchvision'])
def test_agrees_with_compiled_kernels(request, shape, output_size, sampling_ratio, aligned, kernel):
    kernel = request.getfixturevalue(kernel)
    rois = boxes(shape[0], 40)
    results = []
    for compiled in (True, False):
        features = features_of(shape).requires_grad_()
        if not compiled:
            out = roi_align(features, rois, output_size, SCALE, sampling_ratio, aligned)
        elif kernel.__name__ == 'mmcv.ops':
            out = kernel.roi_align(features, rois, output_size, SCALE, sampling_ratio, 'avg', aligned)
        else:
            out = kernel.roi_align(features, rois, output_size, SCALE, sampling_ratio, aligned)
        out.backward(features_of(out.shape, seed=2))
        results.append((out.detach(), features.grad))
    torch.testing.assert_close(results[1][0], results[0][0], rtol=0, atol=1e-5)
    torch.testing.assert_close(results[1][1], results[0][1], rtol=0, atol=1e-4)


@pytest.mark.parametrize('channels', [1, 2])
@pytest.mark.parametrize('sampling_ratio', [0, 2])
def test_gradient(channels, sampling_ratio):
    features = features_of((2, channels, 4, 5), torch.float64).requires_grad_()
    rois = boxes(2, 4, size=20.0).double()
    assert torch.autograd.gradcheck(lambda f: roi_align(f, rois, (2, 3), SCALE, sampling_ratio), features)


@pytest.mark.parametrize('channels', [1, 4])
def test_no_rois(channels):
    features = torch.rand(2, channels, 5, 6, requires_grad=True)
    out = roi_align(features, torch.zeros(0, 5), (3, 4))
    assert out.shape == (0, channels, 3, 4)
    out.sum().backward()
    assert not features.grad.any()


@pytest.mark.parametrize('box', [(3, 3, 3, 3), (8, 8, 4, 4), (900, 900, 950, 990), (-90, -90, -50, -50)])
def test_boxes_without_a_pixel_are_zero(box):
    out = roi_align(torch.ones(1, 2, 8, 8), torch.tensor([[0.0, *box]]), 2)
    assert not out.any()


@pytest.mark.parametrize('value', [math.nan, math.inf, -math.inf])
def test_boxes_that_are_not_finite_are_zero_and_leave_the_others_alone(value):
    features, rois = features_of((1, 3, 8, 8)), boxes(1, 6, size=8.0)
    broken = torch.cat([rois[:3], torch.tensor([[0.0, value, 1, 5, 5], [0.0, 1, 1, value, 5]]), rois[3:]])
    out = roi_align(features, broken, 2)
    assert not out[3:5].any()
    torch.testing.assert_close(out[[0, 1, 2, 5, 6, 7]], roi_align(features, rois, 2), rtol=0, atol=0)


def test_memory_format_follows_the_features_and_changes_no_value():
    rois = boxes(2, 20)
    results = []
    for memory_format in (torch.contiguous_format, torch.channels_last):
        features = features_of((2, 6, 9, 13)).contiguous(memory_format=memory_format).requires_grad_()
        out = roi_align(features, rois, 7, SCALE)
        assert out.is_contiguous(memory_format=memory_format)
        out.backward(features_of(out.shape, seed=3))
        results.append((out.detach(), features.grad))
    for one, other in zip(*results, strict=True):
        assert torch.equal(one, other)


def test_strided_features_are_read_right():
    wide = features_of((2, 8, 9, 26))
    features, rois = wide[:, ::2, :, ::2], boxes(2, 10)
    assert torch.equal(roi_align(features, rois, 3, SCALE), roi_align(features.contiguous(), rois, 3, SCALE))


def test_rois_stand_for_themselves():
    features, rois = features_of((2, 4, 9, 13)), boxes(2, 30)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(0))
    together = roi_align(features, rois, 7, SCALE)
    assert torch.equal(roi_align(features, rois[order], 7, SCALE), together[order])
    assert torch.equal(roi_align(features, rois[4:5], 7, SCALE), together[4:5])


def test_large_work_is_split_without_a_trace(monkeypatch):
    features, rois = features_of((2, 4, 9, 13)), boxes(2, 30)
    whole = roi_align(features, rois, 7, SCALE)
    monkeypatch.setattr(module, '_MOST_TAPS', 50)
    assert torch.equal(roi_align(features, rois, 7, SCALE), whole)


def test_threads_change_nothing(threads):
    rois, results = boxes(1, 200, size=120.0), []
    for number in (1, 2, 4, 2):
        threads(number)
        features = features_of((1, 16, 40, 40)).contiguous(memory_format=torch.channels_last).requires_grad_()
        out = roi_align(features, rois, 7, SCALE)
        out.backward(features_of(out.shape, seed=3))
        results.append((out.detach(), features.grad))
    for out, grad in results[1:]:
        assert torch.equal(out, results[0][0])
        assert torch.equal(grad, results[0][1])


def test_autocast_leaves_float32_alone():
    rois = boxes(1, 20)
    for channels in (1, 4):
        features = features_of((1, channels, 9, 13))
        with torch.autocast('cpu', torch.bfloat16):
            inside = roi_align(features, rois, 7, SCALE)
        assert torch.equal(inside, roi_align(features, rois, 7, SCALE))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_rounded_once(dtype):
    features, rois = features_of((1, 4, 9, 13), dtype).requires_grad_(), boxes(1, 20)
    out = roi_align(features, rois, 7, SCALE)
    assert out.dtype == dtype
    assert torch.equal(out, roi_align(features.float(), rois, 7, SCALE).to(dtype))
    out.sum().backward()
    assert features.grad.dtype == dtype


def test_rois_get_no_gradient():
    rois = boxes(1, 5).requires_grad_()
    roi_align(torch.rand(1, 2, 8, 8, requires_grad=True), rois, 2).sum().backward()
    assert rois.grad is None


@pytest.mark.parametrize(('shape', 'rois'), [((2, 8, 8), (3, 5)), ((1, 2, 8, 8), (3, 4))])
def test_other_shapes_are_refused(shape, rois):
    with pytest.raises(ConfigError, match=r'roi_align: expected features \(N, C, H, W\)'):
        roi_align(torch.rand(shape), torch.rand(rois), 2)
