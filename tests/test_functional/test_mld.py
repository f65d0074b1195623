from __future__ import annotations

import pytest
import torch

from eakd_det.functional import batch_gram_distance, class_gram_distance, rare_columns, unsure_rows
from tests import golden

METHODS = ('mld', 'ea_mld', 'mld_ls', 'ea_mld_ls')


def _softmax(student, teacher, tau=1.0):
    return (student.detach().double() / tau).softmax(dim=1), (teacher.double() / tau).softmax(dim=1)


@golden.cases(*METHODS)
def test_golden(case, dtype):
    student, teacher = golden.logits(case, dtype)
    expected, rows, classes = case['expected'], max(student.shape[0], 1), student.shape[1]
    taus = expected.get('temperatures', [1.0])
    zero = expected.get('loss_mean')
    batch = torch.stack([batch_gram_distance(student, teacher, tau) for tau in taus]) / rows
    class_ = torch.stack([class_gram_distance(student, teacher, tau) for tau in taus]) / classes
    golden.check(batch, expected.get('bc_by_T', [zero]), dtype)
    golden.check(class_, expected.get('cc_by_T', [zero]), dtype)
    if 'sample_mask' in expected:
        golden.check(unsure_rows(teacher), [float(value) for value in expected['sample_mask']], dtype)
        golden.check(rare_columns(teacher), [float(value) for value in expected['class_mask']], dtype)


@pytest.mark.parametrize('shape', [(3, 20), (20, 20), (300, 7)])
@pytest.mark.parametrize('masked', [False, True])
def test_gram_distances_are_what_they_say(shape, masked):
    student, teacher = 3 * torch.randn(2, *shape, dtype=torch.float64)
    rows = torch.randint(2, shape[:1]).double() if masked else None
    columns = torch.randint(2, shape[1:]).double() if masked else None
    q, p = _softmax(student, teacher, 2.0)
    if masked:
        p_r, q_r, p_c, q_c = p[rows > 0], q[rows > 0], p[:, columns > 0], q[:, columns > 0]
    else:
        p_r, q_r, p_c, q_c = p, q, p, q
    torch.testing.assert_close(
        batch_gram_distance(student, teacher, 2.0, rows), (p_r @ p_r.t() - q_r @ q_r.t()).square().sum()
    )
    torch.testing.assert_close(
        class_gram_distance(student, teacher, 2.0, columns), (p_c.t() @ p_c - q_c.t() @ q_c).square().sum()
    )


def test_no_cancellation_in_float32():
    # Almost all proposals are surely background, so P and Q are almost equal: 1,024 * 1,024 ones minus the same.
    teacher = torch.zeros(1024, 81)
    teacher[:, 80] = 9.0
    student = teacher + 0.01 * torch.randn(1024, 81)
    expected = batch_gram_distance(student.double(), teacher.double())
    torch.testing.assert_close(batch_gram_distance(student, teacher).double(), expected, rtol=1e-4, atol=0)
    q, p = student.softmax(dim=1), teacher.softmax(dim=1)
    textbook = ((p.t() @ p).square().sum() - 2 * (p.t() @ q).square().sum() + (q.t() @ q).square().sum()).double()
    assert (textbook - expected).abs() > 0.01 * expected


@pytest.mark.parametrize('shape', [(3, 6), (6, 3)])
@pytest.mark.parametrize('distance', [batch_gram_distance, class_gram_distance])
def test_gradcheck(distance, shape):
    student, teacher = torch.randn(2, *shape, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda s: distance(s, teacher, 2.0), student.requires_grad_())


@pytest.mark.parametrize('distance', [batch_gram_distance, class_gram_distance])
def test_contract(distance):
    extremes = torch.tensor([[1000.0, -1000, 0], [0, 1000, 0], [0, 0, 0], [-1000, 1000, -1000]])
    student, teacher = extremes.clone().requires_grad_(), extremes.flip(0).requires_grad_()
    value = distance(student, teacher)
    value.backward()
    assert value.isfinite()
    assert student.grad.isfinite().all()
    assert teacher.grad is None
    order = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(distance(student[order], teacher[order]), value)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        torch.testing.assert_close(distance(student, teacher), value)
    empty = torch.zeros(0, 3, requires_grad=True)
    assert distance(empty, empty) == 0
    distance(empty, empty).backward()


def test_masks_of_no_proposals():
    assert unsure_rows(torch.zeros(0, 3)).shape == (0,)
    assert rare_columns(torch.zeros(0, 3)).shape == (3,)


def test_masks_equal_numpy_percentile():
    import numpy as np

    teacher = 3 * torch.randn(2, 40, 11)[0]
    for rows, quantile in ((40, 0.5), (39, 0.5), (40, 0.3)):
        confidence = teacher[:rows].softmax(dim=1).amax(dim=1).numpy()
        expected = confidence <= np.percentile(confidence, 100 * quantile)
        assert (unsure_rows(teacher[:rows], quantile).bool().numpy() == expected).all()
