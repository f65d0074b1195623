"""Sigmoid focal loss compared with MMDetection's form."""

from __future__ import annotations

import pytest
import torch
from mmdet.models.losses.focal_loss import py_sigmoid_focal_loss

from eakd_det.mm.ops import mmcv_functions
from eakd_det.mm.ops.focal_loss import sigmoid_focal_loss


def data(rows: int = 50, classes: int = 4, scale: float = 3.0, dtype: torch.dtype = torch.float64):
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(rows, classes, generator=random, dtype=torch.float64).to(dtype) * scale
    return logits, torch.randint(classes + 1, (rows,), generator=random)


@pytest.mark.parametrize(('gamma', 'alpha'), [(2.0, 0.25), (0.0, 0.5), (1.5, 0.9)])
def test_is_mmdetections(gamma, alpha):
    logits, labels = data()
    one_hot = torch.nn.functional.one_hot(labels, 5)[:, :4]
    expected = py_sigmoid_focal_loss(logits, one_hot, gamma=gamma, alpha=alpha, reduction='none')
    torch.testing.assert_close(sigmoid_focal_loss(logits, labels, gamma, alpha), expected)


def test_gradient():
    logits, labels = data(6)
    assert torch.autograd.gradcheck(lambda x: sigmoid_focal_loss(x, labels), logits.requires_grad_())


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32])
def test_extreme_logits(dtype):
    logits = torch.tensor([[1e4, -1e4], [-1e4, 1e4], [0.0, 0.0]], dtype=dtype, requires_grad=True)
    loss = sigmoid_focal_loss(logits, torch.tensor([0, 0, 2]))
    assert loss.dtype == dtype
    torch.testing.assert_close(loss[0].float(), torch.zeros(2))
    torch.testing.assert_close(loss[1].float(), torch.tensor([2500.0, 7500.0]), rtol=1e-2, atol=0)
    loss.float().sum().backward()
    assert logits.grad.isfinite().all()


def test_class_weights_follow_the_label():
    logits, labels = torch.zeros(2, 2), torch.tensor([1, 2])
    plain = sigmoid_focal_loss(logits, labels)
    weighted = sigmoid_focal_loss(logits, labels, class_weights=torch.tensor([5.0, 3.0]))
    torch.testing.assert_close(weighted, plain * torch.tensor([[3.0], [1.0]]))


def test_no_rows():
    assert sigmoid_focal_loss(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long)).shape == (0, 3)


def test_reductions():
    logits, labels = data(8)
    rows = mmcv_functions.sigmoid_focal_loss(logits, labels, 2.0, 0.25, None, 'none')
    torch.testing.assert_close(mmcv_functions.sigmoid_focal_loss(logits, labels), rows.sum() / 8)
    torch.testing.assert_close(mmcv_functions.sigmoid_focal_loss(logits, labels, reduction='sum'), rows.sum())
