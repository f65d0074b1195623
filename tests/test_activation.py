"""What becomes of losses, weightings and temperatures when class scores are sigmoids."""

from __future__ import annotations

import pytest
import torch

from eakd_det.activation import set_activation
from eakd_det.building import build_model
from eakd_det.errors import ConfigError
from eakd_det.functional import binary_ea_weight, binary_kd_divergence, binary_pairs

EA = dict(type='EntropyWeighting', tau=1.0)


def sigmoid(**cfg):
    return set_activation(build_model(cfg), 'sigmoid')


def logits(rows=7, classes=5):
    student, teacher = 3 * torch.randn(2, rows, classes, dtype=torch.float64) - 1
    return student.requires_grad_(), teacher


def test_ea_kd_weighs_each_score():
    student, teacher = logits()
    loss = sigmoid(type='KDLoss', tau=2.0, weighting=EA, reduction='sum')
    expected = (binary_ea_weight(student, teacher) * binary_kd_divergence(student, teacher, 2.0)).sum()
    torch.testing.assert_close(loss(student, teacher), expected)
    loss.reduction = 'none'
    assert loss(student, teacher).shape == (7,)
    torch.testing.assert_close(loss(student, teacher).sum(), expected)
    loss.reduction = 'mean'
    torch.testing.assert_close(loss(student, teacher), expected / 7)


@pytest.mark.parametrize(
    'cfg',
    [
        dict(type='KDLoss', tau=2.0),
        dict(type='KDLoss', tau=dict(type='EntropyTemperature')),
        dict(type='RKLDLoss'),
        dict(type='JSDLoss'),
        dict(type='SKLDLoss', tau=2.0),
        dict(type='SRKLDLoss'),
        dict(type='TTMLoss', weighting=dict(type='PowerSumWeighting')),
        dict(type='KDLoss', weighting=dict(type='CurriculumWeighting', total_iters=9)),
        dict(type='KDLoss', weighting=dict(type='HardProposalWeighting', threshold=0.2)),
        dict(type='KDLoss', weighting=dict(type='MeanMatchedWeighting', tau=1.0)),
    ],
    ids=str,
)
def test_is_the_loss_of_softmaxes_over_two(cfg):
    student, teacher = logits()
    pairs = build_model(dict(cfg, reduction='sum'))(binary_pairs(student), binary_pairs(teacher))
    torch.testing.assert_close(sigmoid(**cfg, reduction='sum')(student, teacher), pairs)


def test_mean_matched_weights_are_the_mean_over_all_scores():
    student, teacher = logits()
    weights = sigmoid(type='KDLoss', weighting=dict(EA, type='MeanMatchedWeighting')).terms(student, teacher).weights
    torch.testing.assert_close(weights, binary_ea_weight(student, teacher).mean().expand(7, 5))


def test_confidence():
    student, teacher = logits()
    for side, values in (('student', student), ('teacher', teacher)):
        weighting = dict(type='ConfidenceWeighting', side=side)
        weights = sigmoid(type='KDLoss', weighting=weighting).terms(student, teacher).weights
        torch.testing.assert_close(weights[:, 0], values.sigmoid().max(dim=1).values.detach())
        softmax = build_model(weighting)(student, teacher)
        torch.testing.assert_close(softmax, values.softmax(dim=1)[:, :-1].max(dim=1).values.detach())
        weighting['score'] = 'object'
        weights = sigmoid(type='KDLoss', weighting=weighting).terms(student, teacher).weights
        none = torch.stack([1 - value.sigmoid() for value in values.unbind(dim=1)]).prod(dim=0)
        torch.testing.assert_close(weights[:, 0], (1 - none).detach())
        softmax = build_model(weighting)(student, teacher)
        torch.testing.assert_close(softmax, 1 - values.softmax(dim=1)[:, -1].detach())


@pytest.mark.parametrize(
    ('cfg', 'reason'),
    [
        (dict(type='DKDLoss'), 'key: .* but DKDLoss parts one softmax into its target and the other classes'),
        (dict(type='MLDLoss'), 'key: .* but MLDLoss reads each row as one softmax'),
        (dict(type='FCFDLoss'), 'key: .* but FCFDLoss reads each row as one softmax'),
        (dict(type='KDLoss', standardize=True), 'key: .* but KDLoss with standardize compares'),
        (
            dict(type='KDLoss', weighting=dict(EA, foreground_only=True)),
            r'key\.weighting: .* but EntropyWeighting with foreground_only',
        ),
        (
            dict(type='KDLoss', weighting=dict(EA, type='MeanMatchedWeighting', by_background=True)),
            r'key\.weighting: .* but MeanMatchedWeighting with by_background',
        ),
    ],
    ids=str,
)
def test_what_has_no_meaning_is_refused(cfg, reason):
    with pytest.raises(ConfigError, match=f'^{reason}'):
        set_activation(build_model(cfg), 'sigmoid', 'key')
    set_activation(build_model(cfg), 'softmax', 'key')


def test_features_are_weighed_by_images():
    student, teacher = logits(rows=6)
    loss = sigmoid(
        type='ReviewKDLoss', student_channels=4, teacher_channels=4, mid_channels=4, num_levels=1, weighting=EA
    )
    maps = dict(features_S=[torch.randn(2, 4, 3, 3)], features_T=[torch.randn(2, 4, 3, 3)])
    images = torch.tensor([0, 0, 0, 1, 1, 1])
    terms = loss.terms(**maps, preds_S=student, preds_T=teacher, images=images)
    weights = binary_ea_weight(student, teacher).mean(dim=1)
    torch.testing.assert_close(terms.weights, torch.stack([weights[:3].mean(), weights[3:].mean()]))
