from __future__ import annotations

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.functional import curriculum_weight, hard_rows, uncertainty
from eakd_det.weighting import CurriculumWeighting, HardProposalWeighting


def _logits():
    return 4 * torch.randn(2, 20, 7)


def test_curriculum_turns_the_order_round():
    student, teacher = _logits()
    weighting = CurriculumWeighting(total_iters=4)
    weights = [weighting(student, teacher) for _ in range(6)]
    for step, progress in enumerate((0.0, 0.25, 0.5, 0.75, 1.0, 1.0)):
        torch.testing.assert_close(weights[step], curriculum_weight(teacher, progress))
    assert torch.equal(weights[0].argsort(), weights[4].argsort(descending=True))


def test_curriculum_is_saved_and_resumed():
    student, teacher = _logits()
    first, second = CurriculumWeighting(total_iters=4), CurriculumWeighting(total_iters=4)
    first(student, teacher)
    second.load_state_dict(first.state_dict())
    torch.testing.assert_close(second(student, teacher), curriculum_weight(teacher, 0.25))


def test_curriculum_stands_still_in_eval_mode():
    weighting = CurriculumWeighting(total_iters=4).eval()
    weighting(*_logits())
    assert weighting.iterations.count == 0


def test_normalized_curriculum_has_mean_one():
    weights = CurriculumWeighting(total_iters=4, normalize=True)(*_logits())
    torch.testing.assert_close(weights.mean(), torch.tensor(1.0))


@pytest.mark.parametrize('kwargs', [dict(), dict(quantile=0.75), dict(tau=2.0)])
def test_mean_over_all_is_mean_over_the_hard_ones(kwargs):
    student, teacher = _logits()
    weights = HardProposalWeighting(**kwargs)(student, teacher)
    hard = hard_rows(teacher, **kwargs) > 0
    assert 0 < hard.sum() < 20
    values = torch.randn(20)
    torch.testing.assert_close((weights * values).mean(), values[hard].mean())


def test_of_the_student():
    student, teacher = _logits()
    weights = HardProposalWeighting(side='student', quantile=0.75)(student, teacher)
    assert torch.equal(weights > 0, hard_rows(student, quantile=0.75) > 0)


@pytest.mark.parametrize(('measure', 'expected'), [('confidence', [0.6, 0.0]), ('margin', [0.9, 0.0])])
def test_uncertainty_by_hand(measure, expected):
    logits = torch.tensor([[0.4, 0.3, 0.3], [1.0, 1e-9, 1e-9]]).log()
    torch.testing.assert_close(uncertainty(logits, measure), torch.tensor(expected), atol=1e-6, rtol=0)


def test_unknown_measure():
    with pytest.raises(ConfigError, match=r'^measure: expected one of entropy, confidence, margin, but got'):
        uncertainty(torch.zeros(1, 2), 'entropie')


def test_without_hard_proposals_all_is_zero():
    sure = torch.tensor([[100.0, 0.0, 0.0]]).repeat(4, 1)
    assert HardProposalWeighting()(sure, sure).abs().max() == 0
    assert HardProposalWeighting()(sure[:0], sure[:0]).shape == (0,)
