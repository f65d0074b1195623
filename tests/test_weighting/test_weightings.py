from __future__ import annotations

import pytest
import torch

from eakd_det.building import build_model
from eakd_det.errors import ConfigError
from eakd_det.functional import EA_MODES, ea_weight
from eakd_det.weighting import (
    DifferenceWeighting,
    EntropyWeighting,
    HardProposalWeighting,
    MeanMatchedWeighting,
    PowerSumWeighting,
    ProposalWeighting,
    UniformWeighting,
)
from eakd_det.weighting.base import mean_one

WEIGHTINGS = [
    UniformWeighting(),
    *(EntropyWeighting(mode=mode, normalize=normalize) for mode in EA_MODES for normalize in (False, True)),
    EntropyWeighting(foreground_only=True),
    MeanMatchedWeighting(),
    MeanMatchedWeighting(by_background=True),
    DifferenceWeighting(),
    PowerSumWeighting(),
    HardProposalWeighting(),
    HardProposalWeighting(quantile=0.5),
    HardProposalWeighting(side='student', quantile=0.5, measure='margin'),
    HardProposalWeighting(measure='confidence'),
    PowerSumWeighting(tau=10.0, normalize=True),
    MeanMatchedWeighting(normalize=True),
]
every_weighting = pytest.mark.parametrize('weighting', WEIGHTINGS, ids=repr)


def _logits(rows: int = 20, classes: int = 11, scale: float = 5.0):
    student, teacher = scale * torch.randn(2, rows, classes, generator=torch.Generator().manual_seed(0))
    return student.requires_grad_(), teacher.requires_grad_()


@every_weighting
def test_one_weight_a_proposal_without_gradient(weighting):
    weights = weighting(*_logits())
    assert weights.shape == (20,)
    assert weights.dtype == torch.float32
    assert not weights.requires_grad
    assert (weights >= 0).all()


@every_weighting
def test_no_proposals(weighting):
    assert weighting(torch.zeros(0, 4), torch.zeros(0, 4)).shape == (0,)


@every_weighting
@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.bfloat16])
def test_extreme_logits(weighting, dtype):
    sure = torch.tensor([[1000.0, -1000.0, 0.0], [-1000.0, 1000.0, 0.0]], dtype=dtype)
    for student, teacher in ((sure, sure), (sure, sure.flip(0)), (sure, torch.zeros_like(sure))):
        weights = weighting(student, teacher)
        assert weights.dtype == torch.float32
        assert weights.isfinite().all()


@every_weighting
def test_permutation_of_proposals(weighting):
    student, teacher = _logits()
    order = torch.randperm(20)
    torch.testing.assert_close(weighting(student[order], teacher[order]), weighting(student, teacher)[order])


@every_weighting
def test_has_nothing_to_save_and_nothing_to_train(weighting):
    assert not weighting.state_dict()


def test_entropy_of_the_objects_alone_ignores_background():
    weighting = EntropyWeighting(tau=1.0, foreground_only=True)
    student = torch.zeros(2, 4)
    teacher = torch.tensor([[0.0, 0.0, 0.0, 50.0], [50.0, 0.0, 0.0, 0.0]])
    log3 = 1.0986123
    torch.testing.assert_close(weighting(student, teacher), torch.tensor([log3, 0.0]))
    changed = teacher + torch.tensor([0.0, 0.0, 0.0, -70.0])
    torch.testing.assert_close(weighting(student, changed), weighting(student, teacher))


def test_means_of_what_the_teacher_takes_for_background_and_of_the_rest():
    student, teacher = _logits()
    weights = EntropyWeighting()(student, teacher)
    background = teacher.argmax(dim=1) == 10
    assert 0 < background.sum() < 20
    expected = torch.where(background, weights[background].mean(), weights[~background].mean())
    torch.testing.assert_close(MeanMatchedWeighting(by_background=True)(student, teacher), expected)
    alone = MeanMatchedWeighting(by_background=True)(student[~background], teacher[~background])
    torch.testing.assert_close(alone, weights[~background].mean().expand_as(alone))


def test_one_object_class_has_no_entropy_of_objects():
    with pytest.raises(ConfigError, match='foreground_only: expected at least two object classes'):
        EntropyWeighting(foreground_only=True)(torch.zeros(3, 2), torch.zeros(3, 2))


def test_a_weighting_of_ones_own_gets_no_gradient_either():
    class Margin(ProposalWeighting):
        def weights(self, preds_S, preds_T):
            return (preds_T - preds_S).amax(dim=1)

    assert not Margin()(*_logits()).requires_grad


def test_entropy_weighting_passes_its_arguments_on():
    student, teacher = _logits()
    weighting = EntropyWeighting(tau=2.0, mode='inverse-ea', h_ub=100)
    torch.testing.assert_close(weighting(student, teacher), ea_weight(student, teacher, 2.0, 'inverse-ea', 100))


def test_mean_matched_has_the_mean_of_entropy_weighting():
    student, teacher = _logits()
    matched = MeanMatchedWeighting(tau=1.0)(student, teacher)
    weights = EntropyWeighting(tau=1.0)(student, teacher)
    assert weights.std() > 0.1
    torch.testing.assert_close(matched, weights.mean().expand(20))


@pytest.mark.parametrize('weighting', [EntropyWeighting, MeanMatchedWeighting])
def test_normalized_weights_have_mean_one(weighting):
    torch.testing.assert_close(weighting(normalize=True)(*_logits()).mean(), torch.tensor(1.0))


def test_weights_that_are_all_zero_stay_zero():
    assert torch.equal(mean_one(torch.zeros(3)), torch.zeros(3))


@pytest.mark.parametrize(
    ('name', 'type_'),
    [
        ('UniformWeighting', UniformWeighting),
        ('EntropyWeighting', EntropyWeighting),
        ('MeanMatchedWeighting', MeanMatchedWeighting),
        ('PowerSumWeighting', PowerSumWeighting),
    ],
)
def test_builds_by_name_from_any_scope(name, type_):
    assert type(build_model(dict(type=name))) is type_
    assert type(build_model(dict(type=f'eakd_det.{name}'))) is type_
