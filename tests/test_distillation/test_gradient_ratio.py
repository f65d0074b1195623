"""The size of the distillation loss, set by gradients at the neck."""

from __future__ import annotations

import copy

import pytest
import torch

from eakd_det.distillation.gradient_ratio import GradientRatio
from eakd_det.errors import ConfigError
from tests import tiny


def losses_of(scale):
    features = [torch.randn(2, 3, 4, 4, requires_grad=True), torch.randn(2, 3, 2, 2, requires_grad=True)]
    detection = sum(level.square().sum() for level in features)
    return features, scale * detection, detection


@pytest.mark.parametrize('scale', [1e-3, 0.2, 50.0])
def test_factor_brings_the_ratio_to_the_target(scale):
    ratio = GradientRatio(target=0.5, steps=3)
    for _ in range(3):
        ratio.measure(*losses_of(scale))
    torch.testing.assert_close(ratio.factor * scale, torch.tensor(0.5))
    torch.testing.assert_close(ratio.log_values()['gradient_ratio'], torch.tensor(scale))


def test_mean_is_geometric():
    ratio = GradientRatio(target=1.0, steps=2)
    for scale in (1.0, 4.0):
        ratio.measure(*losses_of(scale))
    torch.testing.assert_close(ratio.factor, torch.tensor(0.5))


def test_is_measured_in_the_first_steps_alone_unless_held():
    fixed, held = GradientRatio(steps=2, interval=3), GradientRatio(steps=2, interval=3, hold=True)
    assert [fixed.is_due() for _ in range(8)] == [True, True] + [False] * 6
    assert [held.is_due() for _ in range(8)] == [True, True, False, True, False, False, True, False]


def test_held_ratio_follows_the_losses():
    ratio = GradientRatio(target=0.5, steps=4, hold=True)
    for scale in [1.0] * 4 + [10.0] * 40:
        ratio.measure(*losses_of(scale))
    assert ratio.factor == pytest.approx(0.05, rel=0.01)


def test_step_without_distillation_is_no_reading():
    ratio = GradientRatio()
    features, _, detection = losses_of(1.0)
    ratio.measure(features, 0 * detection, detection)
    assert ratio.readings == 0
    assert ratio.factor == 1


def test_losses_of_a_detector_are_scaled_and_logged():
    student, teacher = tiny.build(tiny.faster_rcnn(), seed=0), tiny.build(tiny.faster_rcnn(), seed=1)
    plain = tiny.distill(copy.deepcopy(student), copy.deepcopy(teacher)).train()
    scaled = tiny.distill(student, teacher, gradient_ratio=dict(target=0.5, steps=1)).train()
    expected, got = (tiny.step(model, tiny.batch()) for model in (plain, scaled))
    factor = got['distill.gradient_factor']
    assert factor == pytest.approx(0.5 / float(got['distill.gradient_ratio']), rel=1e-4)
    assert factor != 1
    torch.testing.assert_close(got['distill.loss_kd'], expected['distill.loss_kd'] * factor, rtol=1e-4, atol=1e-7)
    torch.testing.assert_close(got['student.loss_cls'], expected['student.loss_cls'])


def test_factor_survives_a_checkpoint():
    student, teacher = tiny.build(tiny.faster_rcnn(), seed=0), tiny.build(tiny.faster_rcnn(), seed=1)
    first, second = (
        tiny.distill(copy.deepcopy(student), copy.deepcopy(teacher), gradient_ratio=dict(steps=1)).train()
        for _ in range(2)
    )
    tiny.step(first, tiny.batch())
    second.load_state_dict(first.state_dict())
    assert torch.equal(second.gradient_ratio.factor, first.gradient_ratio.factor)
    assert not second.gradient_ratio.is_due()


@pytest.mark.parametrize('options', [dict(target=0), dict(steps=0), dict(targt=1.0)])
def test_invalid_options_are_an_error_of_one_line(options):
    student, teacher = tiny.build(tiny.faster_rcnn(), seed=0), tiny.build(tiny.faster_rcnn(), seed=1)
    with pytest.raises(ConfigError) as error:
        tiny.distill(student, teacher, gradient_ratio=options)
    assert '\n' not in str(error.value)
