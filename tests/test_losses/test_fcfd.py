from __future__ import annotations

import pytest
import torch
from torch import nn

from eakd_det.building import build_model
from eakd_det.errors import ConfigError
from eakd_det.losses import FCFDLoss, KDLoss
from eakd_det.weighting import EntropyWeighting
from tests import golden

EA = dict(type='EntropyWeighting', tau=3.0)
PATHS = ('s', 'st', 'ts')


def _golden_arguments(case, dtype):
    """The three paths' logits and deltas as the golden file has them, behind heads that ignore their features."""

    def of(key, path):
        values = case.get({'logits': f'{path}_logits', 'bbox': f'bbox_{path}'}[key])
        return torch.zeros(3, 4, dtype=dtype) if values is None else torch.tensor(values, dtype=dtype)

    student, teacher = golden.logits(case, dtype)
    features = [torch.zeros(1, 2, 3, 3, dtype=dtype)]
    return dict(
        preds_S=student,
        preds_T=teacher,
        features_S=features,
        features_T=features,
        predict_S=lambda levels: (of('logits', 'ts'), of('bbox', 'ts')),
        predict_T=lambda levels: (of('logits', 'st'), of('bbox', 'st')),
        deltas_S=of('bbox', 's'),
        deltas_T=of('bbox', 'teacher'),
        images=torch.zeros(3, dtype=torch.long),
    )


@golden.cases('fcfd_roi')
@pytest.mark.parametrize('weighting', [None, EA])
def test_golden(case, dtype, weighting):
    prefix = 'ea_' if weighting else ''
    loss = FCFDLoss(2, 2, num_levels=1, roi_levels=1, feature_weight=0.0, weighting=weighting).to(dtype)
    arguments = _golden_arguments(case, dtype)
    expected = [case['expected'][path] for path in PATHS]
    divergences = sum(path[f'{prefix}roi_kd'] for path in expected)
    boxes = sum(path.get(f'{prefix}roi_l2', 0.0) for path in expected)
    golden.check(loss(**arguments), divergences + boxes, dtype)
    loss.box_weight = 0.0
    golden.check(loss(**arguments), divergences, dtype)


class Head(nn.Module):
    """Classifies proposal n by the mean of image n % 2's finest level: a box head without boxes."""

    def __init__(self, channels, classes=5, boxes=16, rows=9):
        super().__init__()
        self.fc_cls, self.fc_reg = nn.Linear(channels, classes), nn.Linear(channels, boxes)
        self.images = torch.arange(rows) % 2

    def forward(self, levels):
        assert len(levels) >= 1
        embeddings = levels[0].mean(dim=(2, 3))[self.images]
        return self.fc_cls(embeddings), self.fc_reg(embeddings)


def _step(student_channels=6, teacher_channels=8, rows=9, dtype=torch.float32, sizes=((6, 4), (3, 2), (2, 2))):
    """Arguments of a step; the student's features want a gradient, the teacher's head is frozen."""
    student_head, teacher_head = (
        Head(channels, rows=rows).to(dtype) for channels in (student_channels, teacher_channels)
    )
    teacher_head.requires_grad_(False)
    student = [torch.randn(2, student_channels, *size, dtype=dtype, requires_grad=True) for size in sizes]
    teacher = [torch.randn(2, teacher_channels, *size, dtype=dtype) for size in sizes]
    (preds_S, deltas_S), (preds_T, deltas_T) = student_head(student), teacher_head(teacher)
    return dict(
        preds_S=preds_S,
        preds_T=preds_T,
        features_S=student,
        features_T=teacher,
        predict_S=student_head,
        predict_T=teacher_head,
        deltas_S=deltas_S,
        deltas_T=deltas_T,
        images=student_head.images,
    )


def _loss(**kwargs):
    return FCFDLoss(6, 8, num_levels=3, roi_levels=2, **kwargs)


def test_is_the_sum_of_its_parts():
    loss, step = _loss(feature_weight=0.5, box_weight=2.0).eval(), _step()
    as_teacher, as_student = loss.to_teacher(step['features_S']), loss.to_student(step['features_T'])
    assert len(as_student) == 2  # roi_levels
    features = sum(nn.functional.mse_loss(*pair) for pair in zip(as_teacher, step['features_T'], strict=True))
    kd, mse = KDLoss(), nn.functional.mse_loss
    paths = [(step['preds_S'], step['deltas_S']), step['predict_T'](as_teacher), step['predict_S'](as_student)]
    expected = 0.5 * features
    for logits, deltas in paths:
        expected = expected + kd(logits, step['preds_T']) + 2 * mse(deltas, step['deltas_T'])
    torch.testing.assert_close(loss(**step), expected)


@pytest.mark.parametrize('weigh_boxes', [True, False])
@pytest.mark.parametrize('weigh_features', [True, False])
def test_weights_of_proposals_and_images(weigh_boxes, weigh_features):
    cfg = dict(type='EntropyWeighting', tau=1.0)
    step = _step()
    loss = _loss(weighting=cfg, weigh_boxes=weigh_boxes, weigh_features=weigh_features).eval()
    weights = EntropyWeighting(tau=1.0)(step['preds_S'], step['preds_T'])
    of_images = torch.stack([weights[0::2].mean(), weights[1::2].mean()])
    as_teacher, as_student = loss.to_teacher(step['features_S']), loss.to_student(step['features_T'])
    paths = [(step['preds_S'], step['deltas_S']), step['predict_T'](as_teacher), step['predict_S'](as_student)]
    kd = KDLoss(reduction='none')
    expected = torch.zeros(())
    for logits, deltas in paths:
        boxes = (deltas - step['deltas_T']).square().mean(dim=1)
        expected = expected + (weights * kd(logits, step['preds_T'])).mean()
        expected = expected + ((weights * boxes).mean() if weigh_boxes else boxes.mean())
    for student, teacher in zip(as_teacher, step['features_T'], strict=True):
        maps = (student - teacher).square().mean(dim=(1, 2, 3))
        expected = expected + ((of_images * maps).mean() if weigh_features else maps.mean())
    torch.testing.assert_close(loss(**step), expected)
    torch.testing.assert_close(loss.terms(**step).weights, weights)


def test_gradients_pass_through_the_frozen_head_and_stop_at_the_teacher():
    loss, step = _loss(feature_weight=0.0, box_weight=0.0), _step()
    step['features_T'] = [level.requires_grad_() for level in step['features_T']]
    step['preds_S'] = step['preds_S'].detach()  # only the crossed paths are left
    loss(**step).backward()
    assert all(parameter.grad is None for parameter in step['predict_T'].parameters())
    assert all(level.grad is None for level in step['features_T'])
    assert step['features_S'][0].grad.abs().sum() > 0
    assert loss.to_teacher.levels[0][0].weight.grad.abs().sum() > 0
    assert loss.to_student.levels[0][0].weight.grad.abs().sum() > 0
    assert step['predict_S'].fc_cls.weight.grad.abs().sum() > 0


def test_batchnorm_of_the_bridges_trains():
    loss, step = _loss(), _step()
    norms = [module for module in loss.modules() if isinstance(module, nn.BatchNorm2d)]
    assert len(norms) == 5
    before = [norm.running_mean.clone() for norm in norms]
    loss(**step).backward()
    assert all(not torch.equal(norm.running_mean, mean) for norm, mean in zip(norms, before, strict=True))
    assert all(norm.weight.requires_grad for norm in norms)


def test_trains():
    torch.manual_seed(1)
    loss, step = _loss(weighting=EA), _step()
    head, features = step['predict_S'], step['features_S']
    optimizer = torch.optim.Adam([*loss.parameters(), *features, *head.parameters()], lr=0.01)
    history = []
    for _ in range(60):
        step['preds_S'], step['deltas_S'] = head(features)
        value = loss(**step)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        history.append(value.item())
    assert history[-1] < 0.6 * history[0]


@pytest.mark.parametrize('weighting', [None, EA])
@pytest.mark.parametrize('weigh_boxes', [True, False])
def test_no_proposals(weighting, weigh_boxes):
    loss = _loss(weighting=weighting, weigh_boxes=weigh_boxes, feature_weight=0.0)
    step = _step(rows=0)
    value = loss(**step)
    assert value == 0
    value.backward()
    assert all(level.grad is not None for level in step['features_S'])


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(roi_levels=6), r'FCFDLoss\.roi_levels: expected 1 to num_levels \(5\) levels, but got 6'),
        (dict(reduction='none'), r'FCFDLoss\.reduction: expected one of mean, sum'),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ConfigError, match=message):
        build_model(dict(type='FCFDLoss', student_channels=4, teacher_channels=4, **kwargs))


@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        (dict(images=None), 'expected images for its weighting, but got none'),
        (
            dict(deltas_S=torch.zeros(9, 4)),
            r'expected box deltas of the same shape .*\(9, 4\) and \(9, 16\); set box_w',
        ),
        (dict(deltas_T=None), r'got \(9, 16\) and None'),
        (dict(features_S=[torch.zeros(2, 7, 6, 4)] * 3), 'expected 3 levels of 6 channels in features_S .* 3 of 7'),
        (dict(features_T=[torch.zeros(2, 8, 6, 4)]), 'expected 2 levels of 8 channels in features_T .* 1 of 8'),
    ],
)
def test_what_does_not_fit_is_named(wrong, message):
    with pytest.raises(ConfigError, match=message):
        _loss(weighting=EA)(**{**_step(), **wrong})


def test_sum_over_proposals():
    step = _step()
    mean, total = _loss(feature_weight=0.0).eval(), _loss(feature_weight=0.0, reduction='sum', weigh_boxes=False).eval()
    total.load_state_dict(mean.state_dict())
    torch.testing.assert_close(total(**step), 9 * mean(**step))
