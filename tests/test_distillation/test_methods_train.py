"""Every method trains: the shipped demo configs, with thinner backbones, on a few of the demo's scenes."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

from eakd_det.building import build_model
from eakd_det.lab.scenes import make_digit_scenes
from tests import tiny
from tests.test_configs import catalogue

METHODS = catalogue.METHODS + catalogue.PUBLISHED + catalogue.DEMO_ONLY + catalogue.RELATIVES
# A method and its EA form differ by the weight alone: the fast test trains one of them, the slow test both.
# PKD and FGD read maps that lie before what the fast test trains. Relatives of EA-KD are left to the slow test.
QUICK = [
    m for m in METHODS if f'ea-{m}' not in METHODS and m[-3:] not in ('pkd', 'fgd') and m not in catalogue.RELATIVES
]
NUM_IMAGES, SIZE = 4, 64


def config_of(method: str, teacher: str | None = None) -> Any:
    """The model of a demo config; all that a loss can see of it is as shipped."""
    model = catalogue.load(catalogue.composed(method)).model
    model.teacher_ckpt = teacher
    for detector in (model.architecture, model.teacher):
        detector.backbone.update(base_channels=8, stem_channels=8)
        detector.neck.in_channels = [8, 16, 32, 64]
        detector.roi_head.bbox_roi_extractor.finest_scale = 6  # so that small images have boxes for all levels
        detector.train_cfg.rcnn.sampler.num = 24
        detector.train_cfg.rpn_proposal.update(nms_pre=50, max_per_img=50)
    return model


@pytest.fixture(scope='module')
def scenes(tmp_path_factory) -> list[dict]:
    """One batch of one image for each scene."""
    made = make_digit_scenes(tmp_path_factory.mktemp('scenes') / 'digits', NUM_IMAGES, 1, SIZE, digit_height=(14, 32))
    truth = json.loads(made.train_ann.read_text())
    batches = []
    for image in truth['images']:
        pixels = cv2.imread(str(made.train_images / image['file_name']))
        objects = [item for item in truth['annotations'] if item['image_id'] == image['id']]
        boxes = torch.tensor([item['bbox'] for item in objects], dtype=torch.float32)
        boxes[:, 2:] += boxes[:, :2]
        labels = torch.tensor([item['category_id'] for item in objects])
        labels -= min(category['id'] for category in truth['categories'])
        shape = pixels.shape[:2]
        sample = DetDataSample(metainfo=dict(img_shape=shape, ori_shape=shape, scale_factor=(1, 1), img_id=image['id']))
        sample.gt_instances = InstanceData(bboxes=boxes, labels=labels)
        sample.ignored_instances = InstanceData(bboxes=boxes[:0], labels=labels[:0])
        batches.append(dict(inputs=[torch.from_numpy(pixels.transpose(2, 0, 1).copy())], data_samples=[sample]))
    return batches


@pytest.fixture(scope='module')
def teacher(scenes, tmp_path_factory) -> str:
    """Checkpoint of one teacher for all, which has seen the scenes: one that knows nothing has nothing to teach."""
    detector = tiny.build(config_of('kd').teacher).train()
    train(detector, scenes, 80)
    path = str(tmp_path_factory.mktemp('teacher') / 'teacher.pth')
    torch.save(dict(state_dict=detector.state_dict()), path)
    return path


def train(model: Any, scenes: list[dict], steps: int, part: str = '') -> list[float]:
    """Train what has ``part`` in its name with Adam, one scene a step; returns the distillation loss of each step."""
    trained = [value for name, value in model.named_parameters() if value.requires_grad and re.search(part, name)]
    optimizer = torch.optim.Adam(trained, lr=1e-3)
    history = []
    for step in range(steps):
        index = step % len(scenes)
        history.append(distillation_loss(tiny.step(model, scenes[index], seed=index)))
        optimizer.step()
    return history


def distillation_loss(losses: dict[str, Any]) -> float:
    return sum(
        float(value.detach()) for name, value in losses.items() if name.startswith('distill.') and 'loss' in name
    )


def build(method: str, teacher: str) -> Any:
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = build_model(config_of(method, teacher))
        model.init_weights()
    return model.train()


class Yardstick:
    """The distillation loss over all scenes, always by the state that the model had at first.

    What changes a loss in the course of training (iteration counters, an adversarial temperature) is put back for the
    measurement, so that only what was learned counts.
    """

    def __init__(self, model: Any) -> None:
        named = [*model.named_buffers(), *(item for item in model.named_parameters() if 'theta' in item[0])]
        self.model, self.state = model, {name: value.detach().clone() for name, value in named}

    @torch.no_grad()
    def _put_back(self) -> None:
        for name, value in [*self.model.named_buffers(), *self.model.named_parameters()]:
            if name in self.state:
                value.copy_(self.state[name])

    def measure(self, scenes: list[dict]) -> float:
        total = 0.0
        for index, scene in enumerate(scenes):
            self._put_back()
            total += distillation_loss(tiny.step(self.model, scene, seed=index))
        self._put_back()
        return total


def require_that_the_distiller_moved(model: Any, before: dict[str, torch.Tensor]) -> None:
    stayed = [name for name, value in model.distiller.named_parameters() if torch.equal(value, before[name])]
    assert not stayed


@pytest.mark.slow
@pytest.mark.parametrize('method', METHODS)
def test_a_hundred_iterations_move_all_that_is_learned(method, teacher, scenes):
    model = build(method, teacher)
    before = copy.deepcopy(dict(model.named_parameters()))
    yardstick = Yardstick(model)
    first = yardstick.measure(scenes)
    assert np.isfinite(train(model, scenes, 100)).all()
    moved = {name for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    assert moved == {name for name, value in before.items() if value.requires_grad}
    assert yardstick.measure(scenes) < 0.9 * first


@pytest.mark.parametrize('method', QUICK)
def test_box_head_and_distiller_learn_from_the_teacher(method, teacher, scenes):
    """Without the rest trained, proposals stay the same, so the loss is smooth and falls whatever the rounding."""
    model = build(method, teacher)
    before = copy.deepcopy(dict(model.distiller.named_parameters()))
    yardstick = Yardstick(model)
    first = yardstick.measure(scenes)
    assert np.isfinite(train(model, scenes, 12, 'bbox_head|distiller')).all()
    require_that_the_distiller_moved(model, before)
    assert yardstick.measure(scenes) < 0.9 * first


@pytest.mark.parametrize('method', [method for method in QUICK if 'ctkd' in method])
def test_the_learned_temperature_is_in_the_log(method, teacher, scenes):
    model = build(method, teacher)
    assert tiny.step(model, scenes[0])['distill.kd.tau'] == pytest.approx(15.6212, rel=1e-4)


def test_simkd_takes_over_the_teachers_classifier_and_leaves_it(scenes, tmp_path):
    weights = tiny.build(config_of('simkd').teacher, seed=1).state_dict()
    torch.save(dict(state_dict=weights), tmp_path / 'teacher.pth')
    model, cfg = build('simkd', str(tmp_path / 'teacher.pth')), catalogue.load(catalogue.composed('simkd'))
    classifier = model.student.roi_head.bbox_head.fc_cls
    assert torch.equal(classifier.weight, weights['roi_head.bbox_head.fc_cls.weight'])
    groups = build_optim_wrapper(model, cfg.optim_wrapper).optimizer.param_groups
    rates = {id(parameter): group['lr'] for group in groups for parameter in group['params']}
    assert {rates[id(parameter)] for parameter in classifier.parameters()} == {0.0}
    losses = tiny.step(model, scenes[0])
    assert [value for name, value in losses.items() if name.endswith('loss_cls')] == [0.0]
    assert distillation_loss(losses) > 0
