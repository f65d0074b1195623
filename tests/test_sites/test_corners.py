"""CornerNet and CentripetalNet: a class score for each corner of a box, at each point of each stack."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from mmengine.config import Config

from eakd_det.errors import ConfigError
from tests import tiny

KD = dict(type='eakd_det.KDLoss', reduction='objects', weighting=dict(type='eakd_det.EntropyWeighting', tau=1.0))
CONFIGS = {
    'CornerHead': 'cornernet/cornernet_hourglass104_8xb6-210e-mstest_coco.py',
    'CentripetalHead': 'centripetalnet/centripetalnet_hourglass104_16xb6-crop511-210e-mstest_coco.py',
}
BATCH = tiny.batch(((32, 64), (32, 48)))
HEIGHT, WIDTH = 8, 16  # of each map, a quarter of the batch
every_head = pytest.mark.parametrize('name', ['CornerHead', pytest.param('CentripetalHead', marks=pytest.mark.slow)])


def build(name: str, seed: int = 0, stacks: int = 2) -> Any:
    cfg = Config.fromfile(f'{tiny._mmdet_configs()}/{CONFIGS[name]}').model
    cfg.data_preprocessor = dict(type='DetDataPreprocessor', pad_size_divisor=32, **tiny.RGB)
    narrow = dict(downsample_times=1, stage_channels=[8, 8], stage_blocks=[1, 1], feat_channel=8)
    cfg.backbone.update(narrow, num_stacks=stacks)
    cfg.bbox_head.update(in_channels=8, num_classes=3, num_feat_levels=stacks)
    return tiny.build(cfg, seed)


def distill(student, teacher, loss=KD):
    return tiny.distill(student, teacher, dict(loss_kd=loss)).train()


@every_head
def test_stock_losses_and_gradients_to_the_bit(name):
    stock = build(name).train()
    model = distill(copy.deepcopy(stock), build(name, seed=1), dict(KD, loss_weight=0.0))
    losses, expected = tiny.step(model, BATCH), tiny.step(stock, BATCH)
    for key, value in expected.items():
        assert all(torch.equal(*both) for both in zip(losses[f'student.{key}'], value, strict=True))
    gradients = dict(model.student.named_parameters())
    for key, parameter in stock.named_parameters():
        assert parameter.grad is None or torch.equal(gradients[key].grad, parameter.grad), key


@every_head
def test_sites_are_the_corners_of_both_stacks(name):
    student = build(name)
    model = distill(student, copy.deepcopy(student))
    model.student.eval()
    maps = []
    model.student.bbox_head.register_forward_hook(lambda *given: maps.extend(given[-1][:2]))
    steps = tiny.steps_of(model)
    assert tiny.step(model, BATCH)['distill.loss_kd'] < 1e-6
    (step,) = steps
    torch.testing.assert_close(step.student.logits, step.teacher.logits, rtol=1e-4, atol=1e-5)
    assert step.student.boxes is step.teacher.boxes is None

    of_maps = torch.stack([level.permute(0, 2, 3, 1).flatten(1, 2) for corner in maps for level in corner], dim=1)
    assert torch.equal(step.student.logits, of_maps.flatten(0, 2))
    labels = step.sites.label.view(2, 4, HEIGHT, WIDTH)  # top left twice, bottom right twice
    places = step.boxes.view(2, 4, HEIGHT, WIDTH, 4)
    corners = set()
    for image, sample in enumerate(BATCH['data_samples']):
        objects = sample.gt_instances
        for box, label in zip(objects.bboxes, objects.labels, strict=True):
            for index, (x, y) in enumerate([box[:2], box[:2], box[2:], box[2:]]):
                row, column = int(y / 4), int(x / 4)
                corners.add((image, index, row, column))
                assert labels[image, index, row, column] == label
                assert places[image, index, row, column].tolist() == [4 * column, 4 * row, 4 * column + 4, 4 * row + 4]
    assert {tuple(place) for place in (labels < 3).nonzero().tolist()} == corners
    assert step.sites.num_objects == len(corners)


@every_head
def test_it_learns_from_the_teacher(name):
    model = distill(build(name), build(name, seed=1))
    heads = [*model.student.bbox_head.tl_heat.parameters(), *model.student.bbox_head.br_heat.parameters()]
    optimizer = torch.optim.SGD(heads, lr=1e-3)
    data = model.data_preprocessor(copy.deepcopy(BATCH), training=True)
    first = model(**data, mode='loss')['distill.loss_kd']
    first.backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in heads)
    optimizer.step()
    assert model(**data, mode='loss')['distill.loss_kd'] < first
    assert all(parameter.grad is None for parameter in model.teacher.parameters())


def test_what_does_not_fit_is_an_error():
    student = build('CornerHead')
    with pytest.raises(ConfigError, match=r'bbox_head\.type: expected a head with a box .* predicts corners apart'):
        distill(student, build('CornerHead', seed=1), dict(type='eakd_det.BoxLoss'))
    model = distill(student, build('CornerHead', seed=1, stacks=1))
    with pytest.raises(ConfigError, match=r'^model\.teacher\.bbox_head: expected maps of .*, as the student has'):
        tiny.step(model, BATCH)


def test_no_objects():
    empty = copy.deepcopy(BATCH)
    for sample in empty['data_samples']:
        sample.gt_instances = sample.gt_instances[:0]
    losses = tiny.step(distill(build('CornerHead'), build('CornerHead', seed=1)), empty)
    assert losses['distill.loss_kd'].isfinite()
