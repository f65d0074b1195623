from __future__ import annotations

import copy

import pytest
import torch
from mmdet.models.backbones import MobileNetV2 as StockMobileNetV2
from mmdet.registry import MODELS as MMDET_MODELS
from mmengine.runner import load_state_dict
from torch.nn.modules.batchnorm import _BatchNorm

import eakd_det  # noqa: F401
from eakd_det.models import MobileNetV2

TAPS = (1, 2, 4, 6)
FROZEN_NORM = dict(norm_cfg=dict(type='BN', requires_grad=False), norm_eval=True)


@pytest.fixture
def stock() -> StockMobileNetV2:
    torch.manual_seed(0)
    stock = StockMobileNetV2(out_indices=TAPS)
    for module in stock.modules():
        if isinstance(module, _BatchNorm):  # untrained statistics would hide a wrong norm mode
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    return stock


@pytest.fixture
def trunk(stock: StockMobileNetV2) -> MobileNetV2:
    trunk = MobileNetV2(out_indices=TAPS)
    trunk.load_state_dict(stock.state_dict(), strict=True)
    return trunk


def test_builds_by_name_from_mmdet_scope():
    built = MMDET_MODELS.build(dict(type='eakd_det.MobileNetV2'))
    assert type(built) is MobileNetV2
    assert built.out_indices == TAPS


@pytest.mark.parametrize('training', [True, False])
def test_outputs_equal_stock_bit_for_bit(stock, trunk, training):
    images = torch.randn(2, 3, 96, 64)
    stock.train(training)
    trunk.train(training)
    expected, actual = stock(images), trunk(images)
    assert [tuple(level.shape) for level in actual] == [(2, 24, 24, 16), (2, 32, 12, 8), (2, 96, 6, 4), (2, 320, 3, 2)]
    for level, stock_level in zip(actual, expected, strict=True):
        assert torch.equal(level, stock_level)


def test_gradients_equal_stock_bit_for_bit(stock, trunk):
    images = torch.randn(2, 3, 64, 64)
    for model in (stock.train(True) or stock, trunk.train(True)):
        sum(level.sin().sum() for level in model(images)).backward()
    of_stock = dict(stock.named_parameters())
    for name, parameter in trunk.named_parameters():
        if parameter.requires_grad:
            assert torch.equal(parameter.grad, of_stock[name].grad), name


def test_state_dict_fits_both_ways(stock, trunk):
    assert list(trunk.state_dict()) == list(stock.state_dict())
    assert [value.shape for value in trunk.state_dict().values()] == [v.shape for v in stock.state_dict().values()]
    load_state_dict(stock, trunk.state_dict(), strict=True)
    load_state_dict(trunk, stock.state_dict(), strict=True)


@pytest.mark.parametrize('out_indices', [TAPS, (2, 4), (1, 3, 5, 7)])
@pytest.mark.parametrize('norm', [{}, FROZEN_NORM], ids=['trained norm', 'frozen norm'])
def test_every_trainable_parameter_gets_a_gradient(out_indices, norm):
    trunk = MobileNetV2(out_indices=out_indices, **norm).train()
    sum(level.square().mean() for level in trunk(torch.randn(2, 3, 32, 32))).backward()
    without = [name for name, p in trunk.named_parameters() if p.requires_grad and p.grad is None]
    assert without == []
    frozen = {name.split('.')[0] for name, p in trunk.named_parameters() if not p.requires_grad and '.bn.' not in name}
    assert frozen == set(trunk.layers[max(out_indices) + 1 :])


def test_layers_behind_the_last_tap_never_run(trunk):
    for name in ('layer7', 'conv2'):
        getattr(trunk, name).register_forward_hook(lambda module, args, output: ran.append(module))
    ran: list[torch.nn.Module] = []
    trunk(torch.randn(1, 3, 64, 64))
    assert ran == [trunk.layer7]


def test_train_keeps_the_freeze(trunk):
    before = copy.deepcopy(trunk.conv2.state_dict())
    optimizer = torch.optim.SGD(trunk.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    for _ in range(2):
        assert trunk.train() is trunk
        assert trunk.training
        assert not any(p.requires_grad for p in trunk.conv2.parameters())
        assert not trunk.conv2.training
        sum(level.square().mean() for level in trunk(torch.randn(2, 3, 64, 64))).backward()
        optimizer.step()
        assert trunk.eval() is trunk
        assert not trunk.training
    for key, value in trunk.conv2.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_frozen_norm_and_frozen_stages_work_as_in_stock():
    trunk = MobileNetV2(frozen_stages=2, **FROZEN_NORM).train()
    assert not any(module.training for module in trunk.modules() if isinstance(module, _BatchNorm))
    trainable = {name.split('.')[0] for name, p in trunk.named_parameters() if p.requires_grad}
    assert trainable == {'layer3', 'layer4', 'layer5', 'layer6', 'layer7'}
