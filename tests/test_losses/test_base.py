"""What holds for every loss of the package, however it is configured."""

from __future__ import annotations

import pytest
import torch

from eakd_det.building import build_model
from eakd_det.errors import ConfigError
from eakd_det.losses import KDLoss, ProposalLoss
from eakd_det.weighting import EntropyWeighting, UniformWeighting

EA = dict(type='EntropyWeighting', tau=3.0)
LOSSES = {
    'kd': dict(type='KDLoss'),
    'ea-kd': dict(type='KDLoss', tau=4.0, weighting=EA),
    'kd-matched': dict(type='KDLoss', weighting=dict(type='MeanMatchedWeighting')),
    'ea-kd-mean-one': dict(type='KDLoss', weighting=dict(type='EntropyWeighting', normalize=True)),
    'dkd': dict(type='DKDLoss'),
    'kd+ls': dict(type='KDLoss', tau=2.0, standardize=True),
    'ea-kd+ls': dict(type='KDLoss', tau=2.0, standardize='population', weighting=EA),
    'dkd+ls': dict(type='DKDLoss', tau=2.0, standardize=True),
    'ea-dkd+ls': dict(type='DKDLoss', tau=2.0, standardize=True, weighting=dict(EA, standardize=True)),
    'ttm': dict(type='TTMLoss'),
    'wttm': dict(type='TTMLoss', weighting=dict(type='PowerSumWeighting')),
    'ea-ttm+ls': dict(type='TTMLoss', standardize=True, weighting=EA),
    'rkld': dict(type='RKLDLoss', tau=2.0),
    'jsd': dict(type='JSDLoss'),
    'skld': dict(type='SKLDLoss'),
    'srkld': dict(type='SRKLDLoss'),
    'ea-rkld': dict(type='RKLDLoss', weighting=EA),
    'ea-jsd': dict(type='JSDLoss', teacher_share=0.1, weighting=EA),
    'ea-skld': dict(type='SKLDLoss', tau=2.0, weighting=EA),
    'ea-srkld': dict(type='SRKLDLoss', weighting=EA),
    'ctkd': dict(type='KDLoss', tau=dict(type='LearnedTemperature', ramp_iters=10)),
    'ea-ctkd': dict(type='KDLoss', tau=dict(type='LearnedTemperature', ramp_iters=10), weighting=EA),
    'ctkd+ls': dict(type='KDLoss', tau=dict(type='LearnedTemperature', ramp_iters=10), standardize=True),
    'mld': dict(type='MLDLoss'),
    'mld-published': dict(type='MLDLoss', masks='published', gram='published', loss_weight=0.9),
    'ea-mld': dict(type='MLDLoss', weighting=EA),
    'ea-mld+ls': dict(type='MLDLoss', masks='none', temperatures=(2, 3, 5, 2, 6), standardize=True, weighting=EA),
    'egad-inspired': dict(
        type='KDLoss',
        tau=dict(type='EntropyTemperature'),
        weighting=dict(type='CurriculumWeighting', total_iters=10**9),
    ),
    'ea-dkd': dict(type='DKDLoss', tau=2.0, beta=8.0, weighting=EA),
}
INSTANCES_ONLY = dict(batch_weight=0, class_weight=0)
every_loss = pytest.mark.parametrize('cfg', LOSSES.values(), ids=LOSSES)


def _proposals(rows: int = 24, classes: int = 11, dtype: torch.dtype = torch.float32):
    generator = torch.Generator().manual_seed(rows)
    student, teacher = 3 * torch.randn(2, rows, classes, generator=generator, dtype=dtype)
    return student.requires_grad_(), teacher, torch.randint(classes, (rows,), generator=generator)


@every_loss
def test_is_the_reduction_of_its_terms(cfg):
    proposals = _proposals()
    loss = build_model(cfg)
    terms = loss.terms(*proposals)
    assert terms.divergence.shape == terms.weights.shape == (24,)
    assert terms.divergence.requires_grad
    assert not terms.weights.requires_grad
    weighted = terms.weights * terms.divergence
    for reduction, expected in (('mean', weighted.mean()), ('sum', weighted.sum()), ('none', weighted)):
        if terms.extra is not None and reduction == 'none':
            continue
        actual = build_model(dict(cfg, reduction=reduction, loss_weight=2.5))(*proposals)
        extra = 0 if terms.extra is None else terms.extra
        torch.testing.assert_close(actual, 2.5 * (expected + extra))


@every_loss
@pytest.mark.parametrize('reduction', ['mean', 'sum', 'none'])
def test_no_proposals_give_a_connected_zero(cfg, reduction):
    student, teacher, labels = _proposals(0)
    weight = torch.ones((), requires_grad=True)
    only = INSTANCES_ONLY if cfg['type'] == 'MLDLoss' and reduction == 'none' else {}
    loss = build_model(dict(cfg, reduction=reduction, **only))(student * weight, teacher, labels)
    assert loss.shape == ((0,) if reduction == 'none' else ())
    assert loss.sum() == 0
    loss.sum().backward()
    assert weight.grad == 0


@every_loss
def test_permutation_of_proposals(cfg):
    student, teacher, labels = _proposals()
    order = torch.randperm(24)
    loss = build_model(cfg)
    torch.testing.assert_close(loss(student[order], teacher[order], labels[order]), loss(student, teacher, labels))


@every_loss
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_autocast(cfg, dtype):
    student, teacher, labels = _proposals()
    loss = build_model(cfg)
    with torch.autocast('cpu', dtype=dtype):
        low = torch.nn.functional.linear(student, torch.eye(11))
        assert low.dtype == dtype
        value = loss(low, teacher.to(dtype), labels)
    assert value.dtype == torch.float32
    value.backward()
    assert student.grad.isfinite().all()
    expected = loss(student.to(dtype).float(), teacher.to(dtype).float(), labels)
    torch.testing.assert_close(value, expected)


@every_loss
def test_extreme_logits(cfg):
    extremes = torch.tensor([[1000.0, -1000, 0, 0], [-1000, 1000, 1000, 0], [1000] * 4, [-1000, -1000, -1000, 1000]])
    student = extremes.repeat(4, 1).requires_grad_()
    teacher = extremes.repeat_interleave(4, dim=0)
    for label in range(4):
        value = build_model(cfg)(student, teacher, torch.full((16,), label))
        assert value.isfinite()
        assert torch.autograd.grad(value, student)[0].isfinite().all()


@every_loss
def test_gradcheck(cfg):
    # One step in the student's logits also moves its entropy, and the weight must not hear of it.
    student, teacher, labels = _proposals(4, 5, torch.float64)
    loss = build_model(cfg)
    weights = loss.terms(student, teacher, labels).weights
    loss.weighting.forward = lambda preds_S, preds_T: weights
    assert torch.autograd.gradcheck(lambda s: loss(s, teacher, labels), student)


@every_loss
def test_teacher_gets_no_gradient(cfg):
    student, teacher, labels = _proposals()
    teacher.requires_grad_()
    build_model(cfg)(student, teacher, labels).backward()
    assert teacher.grad is None


@every_loss
def test_weight_zero_gives_zero_gradients(cfg):
    student, teacher, labels = _proposals()
    value = build_model(dict(cfg, loss_weight=0))(student, teacher, labels)
    value.backward()
    assert value == 0
    assert student.grad.abs().max() == 0


@every_loss
def test_two_images_of_very_different_counts(cfg):
    only = dict(INSTANCES_ONLY, masks='none') if cfg['type'] == 'MLDLoss' else {}
    loss = build_model(dict(cfg, reduction='none', weighting=dict(type='UniformWeighting')) | only)
    student, teacher, labels = _proposals(513)
    together = loss(student, teacher, labels)
    apart = [loss(student[s], teacher[s], labels[s]) for s in (slice(512), slice(512, None))]
    torch.testing.assert_close(together, torch.cat(apart))


def test_uniform_weighting_is_the_default():
    assert isinstance(KDLoss().weighting, UniformWeighting)


def test_takes_a_weighting_that_is_already_built():
    weighting = EntropyWeighting()
    assert KDLoss(weighting=weighting).weighting is weighting


def test_default_scope_of_a_detection_config():
    from mmengine.registry import DefaultScope

    with DefaultScope.overwrite_default_scope('mmdet'):
        loss = build_model(dict(type='eakd_det.KDLoss', weighting=dict(type='EntropyWeighting')))
    assert isinstance(loss.weighting, EntropyWeighting)


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (
            dict(reduction='batchmean'),
            r"KDLoss\.reduction: expected one of mean, sum, objects, none, but got 'batchmean'",
        ),
        (dict(loss_weight=-1.0), r'KDLoss\.loss_weight: expected a finite number >= 0, but got -1\.0'),
        (dict(loss_weight=float('nan')), r'KDLoss\.loss_weight: expected a finite number >= 0, but got nan'),
        (dict(loss_weight='1'), r"KDLoss\.loss_weight: expected a finite number >= 0, but got '1'"),
        (dict(tau=0), r'KDLoss\.tau: expected a finite number > 0, a dict or a Module, but got 0'),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ConfigError, match=message):
        KDLoss(**kwargs)


def test_a_loss_says_what_it_is():
    assert 'tau=2.0' in repr(KDLoss(tau=2.0))
    assert "reduction='sum'" in repr(KDLoss(reduction='sum'))


def test_base_has_no_divergence():
    with pytest.raises(NotImplementedError):
        ProposalLoss()(torch.zeros(1, 2), torch.zeros(1, 2))
