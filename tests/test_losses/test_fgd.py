"""FGD: boxes as cells of a map, its terms by hand, and the published loss as reference."""

from __future__ import annotations

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.functional import fgd_terms, foreground_scale
from eakd_det.losses import FGDLoss

CLOSE = 1e-7  # the published code computes the scale of the boxes in float32
INPUT, SIZE = (40, 56), (5, 7)  # a stride of 8
BOXES = [
    torch.tensor([[0.0, 0, 56, 40], [8, 10, 30, 24], [9, 10, 15, 12]], dtype=torch.float64),
    torch.zeros(0, 4, dtype=torch.float64),
    torch.tensor([[40.0, 0, 56, 33], [3, 3, 3, 3]], dtype=torch.float64),
]


def cells(*boxes, size=SIZE):
    return foreground_scale(torch.tensor(boxes, dtype=torch.float64).view(-1, 4), INPUT, size)


def maps(student_channels=4, images=3):
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randn(images, channels, *SIZE, generator=generator, dtype=torch.float64)
        for channels in (student_channels, 4)
    ]


@pytest.mark.parametrize(
    ('channels', 'value', 'of_maps', 'of_parameters'),
    [
        (4, 64.6879772028353, 64.9193110631825, 42.05850469271267),
        (3, 77.93020961840031, 100.53885495176806, 249.38825284337577),  # through the 1 x 1 convolution
    ],
)
def test_published_loss_and_gradients(channels, value, of_maps, of_parameters):
    """The numbers are those of ``fgd.py`` in github.com/yzd-v/FGD (c03a6cf), for boxes and parameters as here.

    The parameters are there sin(1), sin(2), ... each; its two biases without effect have no counterpart here.
    """
    loss = FGDLoss(channels, 4, 1.0, 0.5, 0.25, 0.125, num_levels=1).double()
    for parameter in loss.parameters():
        parameter.data = torch.arange(1.0, parameter.numel() + 1, dtype=torch.float64).sin().view_as(parameter)
    student, teacher = maps(channels)
    result = loss(
        features_S=[student.requires_grad_()], features_T=[teacher.requires_grad_()], gt_boxes=BOXES, input_size=INPUT
    )
    result.backward()
    assert result.item() == pytest.approx(value, rel=CLOSE)
    assert student.grad.abs().sum().item() == pytest.approx(of_maps, rel=CLOSE)
    found = sum(parameter.grad.abs().sum() for parameter in loss.parameters())
    assert found.item() == pytest.approx(of_parameters, rel=CLOSE)
    assert teacher.grad is None


def test_published_terms():
    """Of the same code, with one weight of 1 at a time."""
    student, teacher = maps()
    scale = torch.stack([foreground_scale(boxes, INPUT, SIZE) for boxes in BOXES])
    means = [term.mean().item() for term in fgd_terms(student, teacher, scale)]
    assert means == pytest.approx([19.1819317155625, 6.316549765842048, 27.169163225898227], rel=CLOSE)


def test_a_cell_has_the_scale_of_its_smallest_box():
    scale = cells((0, 0, 56, 40), (8, 10, 30, 24))
    expected = torch.full(SIZE, 1 / (6 * 8)).double()  # the ceiling of the last side is one cell beyond the map
    expected[1:4, 1:5] = 1 / (3 * 4)
    torch.testing.assert_close(scale, expected)


def test_boxes_at_the_border_without_area_and_outside():
    assert cells((40, 24, 56, 40)).nonzero().tolist() == [[y, x] for y in (3, 4) for x in (5, 6)]
    assert cells((20, 12, 20, 12)).nonzero().tolist() == [[y, x] for y in (1, 2) for x in (2, 3)]
    assert cells((16, 8, 16, 8)).nonzero().tolist() == [[1, 2]]
    torch.testing.assert_close(cells((-160, -80, 7, 7)), cells((0, 0, 7, 7)))
    for outside in ((-30, 0, -20, 8), (90, 0, 99, 8), (30, 20, 8, 10)):  # the last is inside out
        assert cells(outside).abs().max() == 0
    assert cells((0, 0, 8, 8), size=(1, 1)).tolist() == [[1 / 4]]


def test_no_boxes():
    assert torch.equal(cells(), torch.zeros(SIZE).double())
    student, teacher = maps()
    terms = fgd_terms(student, teacher, torch.zeros(3, *SIZE))
    assert terms.foreground.abs().max() == 0
    assert (terms.background > 0).all()
    everywhere = fgd_terms(student, teacher, torch.ones(3, *SIZE))
    assert everywhere.background.abs().max() == 0
    torch.testing.assert_close(everywhere.foreground, 35 * terms.background)


def test_without_differences_in_magnitude_it_is_a_squared_error():
    """Attention is 1 at each cell and channel."""
    teacher = torch.ones(1, 4, *SIZE)
    scale = cells((8, 10, 30, 24))[None]
    terms = fgd_terms(-2 * teacher, teacher, scale)
    torch.testing.assert_close(torch.cat(terms), torch.tensor([4 * 9.0, 4 * 9.0, 0.0]))


def test_a_wider_image_of_the_batch_does_not_move_the_boxes():
    box = torch.tensor([[8.0, 8.0, 16.0, 16.0]])
    narrow, wide = foreground_scale(box, (32, 32), (4, 4)), foreground_scale(box, (64, 96), (8, 12))
    torch.testing.assert_close(wide[:4, :4], narrow)
    assert wide.nonzero().max() == 2


@pytest.mark.parametrize(
    ('arguments', 'boxes', 'message'),
    [
        (dict(student_channels=5), BOXES, r'^FGDLoss\.student_channels: expected the width .*, 4, but got 5$'),
        (dict(teacher_channels=5), BOXES, r'^FGDLoss\.teacher_channels: expected the width .*, 4, but got 5$'),
        (dict(num_levels=2), BOXES, r'^FGDLoss\.num_levels: expected 2 pyramid levels in features_S, but got 1'),
        ({}, BOXES[:2], r'^FGDLoss: expected gt_boxes of each of 3 images, but got 2$'),
        ({}, None, r'^FGDLoss: expected gt_boxes, but got none; add them to its loss_forward_mappings$'),
    ],
)
def test_what_does_not_fit_is_an_error(arguments, boxes, message):
    loss = FGDLoss(**dict(dict(student_channels=4, teacher_channels=4, num_levels=1), **arguments)).double()
    student, teacher = maps()
    with pytest.raises(ConfigError, match=message):
        loss(features_S=[student], features_T=[teacher], gt_boxes=boxes, input_size=INPUT)


def test_more_errors():
    with pytest.raises(ConfigError, match=r'^FGDLoss\.teacher_channels: expected at least 2, but got 1$'):
        FGDLoss(teacher_channels=1)
    with pytest.raises(ConfigError, match=r'^scale: expected a scale for each cell, \(3, 5, 7\), but got \(5, 7\)$'):
        fgd_terms(*maps(), torch.zeros(SIZE))
