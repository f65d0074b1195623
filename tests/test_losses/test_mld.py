from __future__ import annotations

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.losses import KDLoss, MLDLoss
from tests import golden

METHODS = ('mld', 'ea_mld', 'mld_ls', 'ea_mld_ls')


def _settings(case):
    params = case['params']
    settings = dict(loss_weight=params.get('kd_weight', 1.0), standardize=params.get('ls', False))
    if 'T_base' in params:
        settings['temperatures'] = [params['T_base'], *params['fixed_T']]
    if params.get('ea'):
        settings['weighting'] = dict(type='EntropyWeighting', tau=params['T_prime'])
    return settings


@golden.cases(*METHODS)
def test_golden_as_published(case, dtype):
    student, teacher = golden.logits(case, dtype)
    settings = dict(_settings(case), masks='published', gram='published')

    def loss(**levels):
        weights = dict(instance_weight=0.0, batch_weight=0.0, class_weight=0.0) | levels
        return MLDLoss(**settings, **weights)(student, teacher)

    if 'sample_mask' not in case['expected'] and case['case'] != 'Z_empty':
        # Masks are a matter of rounding here, and no loss depends on them.
        assert case['expected']['total_distill_code_effective_same_view'] == 0
    golden.check_present(
        case['expected'],
        dtype,
        loss_mean=MLDLoss(**settings)(student, teacher),
        loss_kd_code_effective_same_view=loss(instance_weight=1.0),
        loss_cc_code_effective=loss(class_weight=1.0),
        loss_bc_code_effective=loss(batch_weight=1.0),
        total_distill_code_effective_same_view=MLDLoss(**settings)(student, teacher),
    )


@golden.cases(*METHODS)
def test_golden_as_intended(case, dtype):
    student, teacher = golden.logits(case, dtype)
    loss = MLDLoss(**_settings(case), masks='select', batch_weight=0, class_weight=0)(student, teacher)
    golden.check_present(case['expected'], dtype, loss_mean=loss, loss_kd_true_sample_mask=loss)


@golden.cases(*METHODS)
def test_golden_by_temperature(case, dtype):
    student, teacher = golden.logits(case, dtype)
    expected = case['expected']
    for index, tau in enumerate(expected.get('temperatures', [])):
        settings = dict(_settings(case), temperatures=[tau], masks='none', loss_weight=1.0)
        loss = MLDLoss(**settings, batch_weight=0, class_weight=0)(student, teacher)
        golden.check(loss, expected['kd_by_T'][index], dtype)


def test_masks_select():
    student, teacher = torch.randn(2, 20, 7)
    student.requires_grad_()
    terms = MLDLoss(masks='select', batch_weight=0, class_weight=0).terms(student, teacher)
    chosen = terms.divergence > 0
    assert chosen.sum() == 10
    confidence = teacher.softmax(dim=1).amax(dim=1)
    assert confidence[chosen].max() < confidence[~chosen].min()
    terms.divergence.sum().backward()
    assert student.grad[~chosen].abs().max() == 0


def test_every_proposal_has_an_instance_gradient_by_default():
    student, teacher = torch.randn(2, 20, 7)
    student.requires_grad_()
    loss = MLDLoss(batch_weight=0, class_weight=0)
    loss(student, teacher).backward()
    rows = student.grad.norm(dim=1)
    assert rows.min() > 0
    # The masks only scale: half of the proposals are picked, which makes the factor 1.5.
    unmasked = MLDLoss(masks='none', batch_weight=0, class_weight=0)(student, teacher)
    torch.testing.assert_close(loss(student, teacher), 1.5 * unmasked)


def test_batch_level_of_selected_proposals_leaves_the_others_alone():
    student, teacher = torch.randn(2, 20, 7)
    student.requires_grad_()
    MLDLoss(masks='select', instance_weight=0, class_weight=0)(student, teacher).backward()
    confidence = teacher.softmax(dim=1).amax(dim=1)
    sure = confidence > confidence.median()
    assert student.grad[sure].abs().max() == 0
    assert student.grad[~sure].abs().max() > 0


@pytest.mark.parametrize('level', ['batch_weight', 'class_weight'])
def test_gram_levels_do_not_grow_with_proposals(level):
    student, teacher = torch.randn(2, 16, 7)
    settings = dict(instance_weight=0, batch_weight=0, class_weight=0, masks='none') | {level: 1}
    many = student.repeat(64, 1), teacher.repeat(64, 1)
    torch.testing.assert_close(MLDLoss(**settings)(*many), MLDLoss(**settings)(student, teacher))
    published = MLDLoss(**settings, gram='published')
    assert published(*many) > 60 * published(student, teacher)


def test_without_masks_and_gram_levels_it_is_kd_over_temperatures():
    student, teacher = torch.randn(2, 16, 7)
    loss = MLDLoss((1.0, 4.0), masks='none', batch_weight=0, class_weight=0)
    torch.testing.assert_close(loss(student, teacher), KDLoss(1.0)(student, teacher) + KDLoss(4.0)(student, teacher))


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(temperatures=[]), r'MLDLoss\.temperatures: expected at least one, but got \[\]'),
        (dict(temperatures=[0]), r'MLDLoss\.temperatures: expected a list of finite numbers > 0, but got'),
        (dict(reduction='none'), r'MLDLoss\.reduction: expected mean or sum'),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ConfigError, match=message):
        MLDLoss(**kwargs)
