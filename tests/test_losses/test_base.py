"""The base of the losses; contracts of every loss are in test_contract.py."""

from __future__ import annotations

import pytest
import torch

from eakd_det.building import build_model
from eakd_det.errors import ConfigError
from eakd_det.losses import KDLoss, ProposalLoss
from eakd_det.weighting import EntropyWeighting, UniformWeighting


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


def test_repr_shows_the_arguments():
    assert 'tau=2.0' in repr(KDLoss(tau=2.0))
    assert "reduction='sum'" in repr(KDLoss(reduction='sum'))


def test_base_has_no_divergence():
    with pytest.raises(NotImplementedError):
        ProposalLoss()(torch.zeros(1, 2), torch.zeros(1, 2))
