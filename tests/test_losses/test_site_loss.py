"""Which sites count, and what their sum is divided by."""

from __future__ import annotations

import pytest
import torch

from eakd_det.activation import set_activation
from eakd_det.building import build_model
from eakd_det.errors import ConfigError
from eakd_det.losses import KDLoss, ReviewKDLoss

IMAGES = torch.tensor([0, 0, 0, 0, 1, 1, 1])
OBJECTS = torch.tensor([False, True, False, True, False, False, True])
EA = dict(type='EntropyWeighting', tau=1.0)


@pytest.fixture
def logits():
    return torch.randn(2, 7, 4)


def test_objects_are_what_the_sum_is_divided_by(logits):
    total = KDLoss(weighting=EA, reduction='sum')(*logits)
    loss = KDLoss(weighting=EA, reduction='objects')
    torch.testing.assert_close(loss(*logits, objects=OBJECTS), total / 3)
    torch.testing.assert_close(loss(*logits, objects=OBJECTS & False), total)


@pytest.mark.parametrize('activation', ['softmax', 'sigmoid'])
@pytest.mark.parametrize('reduction', ['mean', 'sum', 'objects'])
def test_only_sites_with_an_object(logits, activation, reduction):
    loss = set_activation(KDLoss(weighting=EA, sites='objects', reduction=reduction), activation)
    whole = set_activation(KDLoss(weighting=EA, reduction='sum' if reduction == 'sum' else 'mean'), activation)
    torch.testing.assert_close(loss(*logits, objects=OBJECTS), whole(*logits[:, OBJECTS]))
    terms = loss.terms(*logits, objects=OBJECTS)
    assert terms.rows.tolist() == [1, 3, 6]


def test_only_sites_around_an_object(logits):
    valuable = torch.tensor([0.0, 0.2, 0.0, 0.9, 0.0, 0.0, 0.5])
    terms = KDLoss(weighting=EA, sites='valuable').terms(*logits, valuable=valuable)
    assert terms.rows.tolist() == [1, 3, 6]
    assert 'valuable' in KDLoss(sites='valuable').default_mapping
    assert 'valuable' not in KDLoss(sites='objects').default_mapping


def test_the_surest_sites_of_each_image():
    teacher = torch.tensor([[0.0], [5.0], [9.0], [-1.0], [2.0], [2.0], [1.0]]) * torch.tensor([[1.0, 0.0]])
    loss = KDLoss(sites=2)
    assert loss.terms(teacher, teacher, images=IMAGES).rows.tolist() == [1, 2, 4, 5]
    assert KDLoss(sites=9).terms(teacher, teacher, images=IMAGES).rows.tolist() == list(range(7))
    order = torch.randperm(7)
    shuffled = loss.terms(teacher[order], teacher[order], images=IMAGES[order]).rows
    assert {float(value) for value in teacher[order][shuffled, 0]} == {5.0, 9.0, 2.0}


def test_background_does_not_make_a_site_sure():
    teacher = torch.tensor([[0.0, 0.0, 9.0], [1.0, 0.0, 0.0]])
    images = torch.zeros(2, dtype=torch.long)
    assert KDLoss(sites=1).terms(teacher, teacher, images=images).rows.tolist() == [1]
    sigmoid = set_activation(KDLoss(sites=1), 'sigmoid')
    assert sigmoid.terms(teacher, teacher, images=images).rows.tolist() == [0]


@pytest.mark.parametrize('sites', ['all', 'objects', 3])
@pytest.mark.parametrize('reduction', ['mean', 'sum', 'objects'])
@pytest.mark.parametrize('rows', [0, 7])
def test_without_objects_or_sites_it_is_a_finite_zero_with_a_graph(logits, sites, reduction, rows):
    student, teacher = logits[:, :rows]
    student.requires_grad_()
    for activation in ('softmax', 'sigmoid'):
        loss = set_activation(KDLoss(sites=sites, reduction=reduction, weighting=EA), activation)
        value = loss(student, teacher, images=IMAGES[:rows], objects=OBJECTS[:rows] & False)
        value.backward()
        assert value.isfinite()
        assert value == 0 or (rows and sites != 'objects')


def test_what_is_missing_is_named(logits):
    with pytest.raises(ConfigError, match=r"^KDLoss: expected objects for reduction='objects'"):
        KDLoss(reduction='objects')(*logits)
    with pytest.raises(ConfigError, match=r"^KDLoss: expected objects for sites='objects'"):
        KDLoss(sites='objects')(*logits)
    with pytest.raises(ConfigError, match=r"^KDLoss: expected valuable for sites='valuable'"):
        KDLoss(sites='valuable')(*logits)
    with pytest.raises(ConfigError, match=r'^KDLoss: expected images for sites=2'):
        KDLoss(sites=2)(*logits)
    with pytest.raises(ConfigError, match=r'^ReviewKDLoss\.reduction: expected one of mean, sum, none, because'):
        ReviewKDLoss(reduction='objects')
    with pytest.raises(ConfigError, match=r'^KDLoss\.sites: expected'):
        build_model(dict(type='KDLoss', sites='positives'))
