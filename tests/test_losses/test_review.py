from __future__ import annotations

import pytest
import torch
from torch import nn

from eakd_det.building import build_model
from eakd_det.errors import ConfigError
from eakd_det.losses import ReviewKDLoss
from eakd_det.losses.review_fusion import AttentionFusion, ReviewFusion
from tests import golden
from tests.test_functional.test_review import _levels


@golden.cases('reviewkd_abf_fusion')
def test_golden_fusion(case, dtype):
    fusion = AttentionFusion(1, 1, 1).to(dtype)
    with torch.no_grad():
        fusion.gates.weight.copy_(torch.tensor(case['params']['att_weight'])[..., None, None])
        fusion.gates.bias.copy_(torch.tensor(case['params']['att_bias']))
    x, y = (torch.tensor(case[key], dtype=dtype)[None, None] for key in ('x_after_conv1', 'y_residual_1x1'))
    upsampled = y.expand_as(x)
    gates = fusion.gates(torch.cat([x, upsampled], dim=1)).sigmoid()
    golden.check_present(case['expected'], dtype, gate_x=gates[0, 0], gate_y=gates[0, 1], fused=fusion.fuse(x, y)[0, 0])


@golden.cases('reviewkd_hcl', 'ea_reviewkd_hcl')
def test_golden_loss(case, dtype):
    student, teacher = _levels(case, dtype)
    images = len(student[0])
    cfg = dict(num_levels=len(student), pool_sizes=case['params']['pool_sizes'])
    if 'w_per_image' in case['params']:
        cfg['weighting'] = dict(type='EntropyWeighting')
    loss = ReviewKDLoss(**cfg)
    loss.fusion.forward = lambda levels: levels
    arguments = dict(features_S=student, features_T=teacher)
    if 'w_per_image' in case['params']:
        # Two proposals in each image, whose weights have the golden mean.
        weights = torch.tensor(case['params']['w_per_image'], dtype=dtype).repeat_interleave(2)
        weights += torch.tensor([0.25, -0.25] * images, dtype=dtype)
        loss.weighting.forward = lambda preds_S, preds_T: weights
        logits = torch.zeros(2 * images, 4, dtype=dtype)
        arguments.update(preds_S=logits, preds_T=logits, images=torch.arange(images).repeat_interleave(2))
    golden.check(loss(**arguments), case['expected']['loss'], dtype)


def _pyramids(student_channels=8, teacher_channels=16, images=2):
    sizes = ((20, 12), (10, 6), (5, 3), (3, 2))
    return dict(
        features_S=[torch.randn(images, student_channels, *size, requires_grad=True) for size in sizes],
        features_T=[torch.randn(images, teacher_channels, *size, requires_grad=True) for size in sizes],
    )


def _reference(fusion: ReviewFusion, features):
    """The fusion of the paper, level by level from the coarsest, written out."""
    residual, outputs = None, []
    for level, maps in list(zip(fusion.levels, features, strict=True))[::-1]:
        x = level.reduce[1](level.reduce[0](maps))
        if residual is not None:
            y = nn.Upsample(size=x.shape[-2:], mode='nearest')(residual)
            gates = torch.sigmoid(level.gates(torch.cat([x, y], dim=1)))
            x = x * gates[:, 0:1] + y * gates[:, 1:2]
        residual = x
        outputs.insert(0, level.expand(x))
    return outputs


def test_fusion_goes_from_coarse_to_fine():
    fusion = ReviewFusion(8, 16, mid_channels=4, num_levels=4)
    features = _pyramids()['features_S']
    actual = fusion(features)
    for level, expected in zip(actual, _reference(fusion, features), strict=True):
        torch.testing.assert_close(level, expected)
    assert fusion.levels[-1].gates is None
    reached = [torch.autograd.grad(actual[0].sum(), f, retain_graph=True)[0].abs().sum() > 0 for f in features]
    assert all(reached)
    (unreached,) = torch.autograd.grad(actual[-1].sum(), features[0], allow_unused=True)
    assert unreached is None


def test_trains():
    loss, arguments = ReviewKDLoss(8, 16, mid_channels=4, num_levels=4), _pyramids()
    optimizer = torch.optim.Adam([*loss.parameters(), *arguments['features_S']], lr=0.01)
    history = []
    for _ in range(60):
        value = loss(**arguments)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        history.append(value.item())
    assert history[-1] < 0.8 * history[0]


def test_image_weights_are_means_over_proposals():
    arguments = _pyramids()
    logits = 3 * torch.randn(2, 9, 5)
    images = torch.tensor([0] * 8 + [1])
    cfg = dict(type='EntropyWeighting', tau=1.0)
    loss = ReviewKDLoss(8, 16, mid_channels=4, num_levels=4, weighting=cfg)
    terms = loss.terms(preds_S=logits[0], preds_T=logits[1], images=images, **arguments)
    weights = build_model(cfg)(*logits)
    torch.testing.assert_close(terms.weights, torch.stack([weights[:8].mean(), weights[8]]))
    assert terms.divergence.shape == (2,)


def test_no_proposals():
    arguments = _pyramids()
    loss = ReviewKDLoss(8, 16, mid_channels=4, num_levels=4, weighting=dict(type='EntropyWeighting'))
    empty = torch.zeros(0, 5)
    terms = loss.terms(preds_S=empty, preds_T=empty, images=torch.zeros(0, dtype=torch.int64), **arguments)
    assert torch.equal(terms.weights, torch.ones(2))


def test_more_levels_than_asked_for_are_left_out():
    arguments = _pyramids()
    ReviewKDLoss(8, 16, mid_channels=4, num_levels=2)(**arguments).backward()
    assert arguments['features_S'][2].grad is None


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(), 'ReviewKDLoss: expected features_S and features_T, but got none'),
        (dict(_pyramids(), features_S=torch.zeros(1)), 'expected 4 pyramid levels in features_S, but got a tensor'),
        (dict(_pyramids(), features_T=[]), 'expected 4 pyramid levels in features_T, but got 0'),
        (_pyramids(teacher_channels=12), r'same shape \(N, D, H, W\)'),
    ],
)
def test_levels_that_do_not_fit(arguments, message):
    with pytest.raises(ConfigError, match=message):
        ReviewKDLoss(8, 16, mid_channels=4, num_levels=4)(**arguments)


def test_weights_need_logits():
    loss = ReviewKDLoss(8, 16, mid_channels=4, num_levels=4, weighting=dict(type='EntropyWeighting'))
    with pytest.raises(ConfigError, match='ReviewKDLoss: expected preds_S, preds_T and images for its weighting'):
        loss(**_pyramids())
