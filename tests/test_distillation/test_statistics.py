"""The logged numbers are the numbers."""

from __future__ import annotations

import pytest
import torch

from eakd_det.distillation.statistics import StepStatistics, log_names
from eakd_det.errors import ConfigError
from eakd_det.functional import entropy
from eakd_det.losses import Terms
from eakd_det.sites import SoftmaxScores


def test_mean_and_spread_for_foreground_and_background_apart():
    statistics = StepStatistics(interval=2)
    weights, labels = torch.rand(2, 40), torch.randint(0, 4, (2, 40))
    for step in range(2):
        terms = Terms(divergence=torch.ones(40), weights=weights[step])
        statistics.add_weights('kd.', terms, labels[step] != 3)
        statistics_due = statistics.end_step()
    for part, mask in (('fg', labels != 3), ('bg', labels == 3)):
        assert torch.allclose(statistics_due[f'kd.{part}_weight'], weights[mask].mean())
        assert torch.allclose(statistics_due[f'kd.{part}_weight_std'], weights[mask].std(correction=0), atol=1e-6)


def test_an_interval_without_foreground_says_nothing_about_it():
    statistics = StepStatistics()
    terms = Terms(divergence=torch.ones(4), weights=torch.ones(4))
    statistics.add_weights('kd.', terms, torch.zeros(4, dtype=torch.bool))
    assert set(statistics.end_step()) == {'kd.bg_weight', 'kd.bg_weight_std', 'statistics_iter'}


def test_entropies_are_of_the_given_temperature():
    statistics = StepStatistics(entropy_tau=2.0)
    student, teacher = torch.randn(2, 9, 5)
    statistics.add_entropies(SoftmaxScores(4), student, teacher)
    due = statistics.end_step()
    assert torch.allclose(due['entropy_student'], entropy(student, 2.0).mean())
    assert torch.allclose(due['entropy_teacher'], entropy(teacher, 2.0).mean())


def test_nothing_happened_nothing_is_logged():
    assert StepStatistics().end_step() == {}


def test_weights_of_images_stay_apart_even_with_as_many_images_as_proposals():
    statistics = StepStatistics()
    terms = Terms(divergence=torch.ones(4), weights=torch.tensor([1.0, 2.0, 3.0, 4.0]), unit='image')
    statistics.add_weights('review.', terms, torch.tensor([True, False, False, False]))
    due = statistics.end_step()
    assert set(due) == {'review.image_weight', 'review.image_weight_std', 'statistics_iter'}
    assert float(due['review.image_weight']) == pytest.approx(2.5)
    assert float(due['review.image_weight_std']) == pytest.approx(1.25**0.5)


def test_rows_that_are_not_the_proposals_are_refused():
    terms = Terms(divergence=torch.ones(2), weights=torch.ones(2))
    with pytest.raises(ConfigError, match=r"a weight for each of 4 proposals, but got 2; .*unit='image'"):
        StepStatistics().add_weights('kd.', terms, torch.zeros(4, dtype=torch.bool))


def test_log_names_never_contain_loss():
    assert log_names(['loss_kd', 'pkd_loss', 'loss']) == {'loss_kd': 'kd.', 'pkd_loss': 'pkd.', 'loss': ''}


@pytest.mark.parametrize('twins', [('loss_kd', 'kd_loss'), ('loss', 'loss_')])
def test_losses_never_share_statistics(twins):
    with pytest.raises(ConfigError, match=f'distill_losses: expected names that differ .* {" and ".join(twins)}'):
        log_names(['loss_x', *twins])
