"""The EGAD-inspired method as a configuration."""

from __future__ import annotations

import pytest
import torch

from eakd_det.errors import ConfigError
from eakd_det.losses import EmbeddingLoss, EntropyTemperature, KDLoss
from tests import golden


@golden.cases('egad_design_OURS')
def test_golden(case, dtype):
    student, teacher = golden.logits(case, dtype)
    params = case['params']

    def loss(increasing):
        tau = dict(
            type='EntropyTemperature',
            tau_min=params['tau_min'],
            tau_max=params['tau_max'],
            increasing=increasing,
            entropy_tau=params['entropy_T'],
        )
        loss = KDLoss(tau, weighting=dict(type='CurriculumWeighting', total_iters=10))
        loss.weighting.iterations.count.fill_(int(10 * params['progress']))
        return loss(student, teacher)

    golden.check_present(
        case['expected'], dtype, loss_mean_tau_increasing=loss(True), loss_mean_tau_decreasing=loss(False)
    )


def test_embedding_branch_is_a_mean_over_hard_proposals():
    student, teacher = 4 * torch.randn(2, 20, 7)
    embeddings = torch.randn(2, 20, 16)
    loss = EmbeddingLoss(weighting=dict(type='HardProposalWeighting'))
    value = loss(student, teacher, embeddings_S=embeddings[0], embeddings_T=embeddings[1])
    hard = loss.weighting(student, teacher) > 0
    torch.testing.assert_close(value, (embeddings[0] - embeddings[1])[hard].square().mean())


def test_embedding_branch_without_hard_proposals_is_zero():
    sure = torch.tensor([[100.0, 0.0, 0.0]]).repeat(4, 1)
    embeddings = torch.randn(4, 16, requires_grad=True)
    loss = EmbeddingLoss(weighting=dict(type='HardProposalWeighting'))
    value = loss(sure, sure, embeddings_S=embeddings, embeddings_T=torch.randn(4, 16))
    value.backward()
    assert value == 0
    assert embeddings.grad.abs().max() == 0


def test_temperature_has_no_gradient():
    logits = torch.randn(3, 4, requires_grad=True)
    assert not EntropyTemperature()(logits, logits).requires_grad


def test_a_lowest_temperature_above_the_highest():
    with pytest.raises(ConfigError, match=r'EntropyTemperature\.tau_max: expected at least tau_min, 5\.0'):
        EntropyTemperature(tau_min=5.0)
