"""Losses on RoI embeddings."""

from __future__ import annotations

import pytest
import torch

from eakd_det.building import build_model
from eakd_det.errors import ConfigError
from eakd_det.losses import EmbeddingLoss, PADLoss
from tests import golden

EA = dict(type='EntropyWeighting')
LOSSES = {
    'l2': dict(type='EmbeddingLoss'),
    'ea-l2-projected': dict(type='EmbeddingLoss', student_channels=6, teacher_channels=8, weighting=EA),
    'pad': dict(type='PADLoss', student_channels=8),
    'ea-pad': dict(type='PADLoss', student_channels=8, batch_norm=False, weighting=EA),
    'pad-projected': dict(type='PADLoss', student_channels=6, teacher_channels=8, warmup_iters=1),
}
every_loss = pytest.mark.parametrize('cfg', LOSSES.values(), ids=LOSSES)


def _inputs(cfg, rows=12, dtype=torch.float32):
    width = cfg.get('student_channels', 8)
    student, teacher = torch.randn(2, rows, 5, dtype=dtype)
    return dict(
        preds_S=student,
        preds_T=teacher,
        embeddings_S=torch.randn(rows, width, dtype=dtype, requires_grad=True),
        embeddings_T=torch.randn(rows, 8, dtype=dtype, requires_grad=True),
    )


@golden.cases('pad_l2')
def test_golden(case, dtype):
    student, teacher, log_variance = (
        torch.tensor(case[key], dtype=dtype) for key in ('student_embed', 'teacher_embed', 'log_var')
    )
    loss = PADLoss(3, eps=case['params']['eps'], min_log_variance=None).to(dtype)
    loss.log_variance = lambda embeddings: log_variance
    logits = torch.zeros(len(student), 2, dtype=dtype)
    golden.check_present(
        case['expected'],
        dtype,
        loss=loss(logits, logits, embeddings_S=student, embeddings_T=teacher),
        plain_mse=EmbeddingLoss()(logits, logits, embeddings_S=student, embeddings_T=teacher),
    )


@every_loss
def test_trains(cfg):
    loss, inputs = build_model(cfg), _inputs(cfg)
    optimizer = torch.optim.Adam([inputs['embeddings_S'], *loss.parameters()], lr=0.05)
    loss(**inputs)
    history = []
    for _ in range(50):
        value = loss(**inputs)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        history.append(value.item())
    assert history[-1] < history[0] - 0.1


def test_weights_are_those_of_the_logits():
    inputs = _inputs(LOSSES['l2'])
    terms = EmbeddingLoss(weighting=EA).terms(**inputs)
    expected = build_model(EA)(inputs['preds_S'], inputs['preds_T'])
    torch.testing.assert_close(terms.weights, expected)


def test_warmup_is_plain_l2_for_so_many_iterations():
    inputs = _inputs(LOSSES['pad'])
    loss, plain = PADLoss(8, warmup_iters=2), EmbeddingLoss()(**inputs)
    values = [loss(**inputs) for _ in range(3)]
    torch.testing.assert_close(values[0], plain)
    torch.testing.assert_close(values[1], plain)
    assert (values[2] - plain).abs() > 1e-3
    assert loss.state_dict()['warmup.count'] == 3


def test_same_width_needs_no_projection():
    assert not list(EmbeddingLoss(8, 8).parameters())
    assert EmbeddingLoss(6, 8).projection.weight.shape == (8, 6)


def test_one_width_alone():
    with pytest.raises(ConfigError, match='expected both student_channels and teacher_channels'):
        EmbeddingLoss(student_channels=4)


@pytest.mark.parametrize(
    ('loss', 'message'),
    [
        (EmbeddingLoss(), r'same shape \(R, D\), but got \(12, 6\) and \(12, 8\)'),
        (EmbeddingLoss(4, 8), r'EmbeddingLoss\.student_channels: expected the width of the embeddings, 6, but got 4'),
        (PADLoss(4), r'PADLoss\.student_channels: expected the width of the embeddings, 6, but got 4'),
    ],
)
def test_embeddings_that_do_not_fit(loss, message):
    with pytest.raises(ConfigError, match=message):
        loss(**_inputs(dict(student_channels=6)))


def test_missing_embeddings():
    with pytest.raises(ConfigError, match='EmbeddingLoss: expected embeddings_S and embeddings_T'):
        EmbeddingLoss()(torch.zeros(2, 3), torch.zeros(2, 3))
