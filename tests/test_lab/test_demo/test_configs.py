"""The demo's configs: each arm differs from the plain student in the method only."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

import eakd_det  # noqa: F401
from eakd_det.lab.demo.plan import EA_KD_CONFIG, FULL, QUICK, STUDENT_CONFIG, TEACHER_CONFIG, demo_plan
from tests.test_configs import catalogue

FOLDER = Path(__file__).parents[3] / 'configs' / 'demo'
OF_PAPERS_PAIRS = catalogue.METHODS + catalogue.PUBLISHED
METHODS = OF_PAPERS_PAIRS + catalogue.DEMO_ONLY + catalogue.RELATIVES
WIDTHS = ('student_channels', 'teacher_channels', 'mid_channels', 'num_levels')


def load(name: str) -> Config:
    return catalogue.load(f'demo/{name.removesuffix(".py")}')  # which reads each file once


@pytest.mark.parametrize('method', METHODS)
def test_arm_differs_from_the_student_in_the_model_only(method):
    arm, plain = catalogue.load(catalogue.composed(method)).to_dict(), load(STUDENT_CONFIG).to_dict()
    assert arm['model']['architecture'] == plain['model']
    assert arm['model']['teacher'] == load(TEACHER_CONFIG).model.to_dict()
    del arm['model'], plain['model']
    assert arm == plain


@pytest.mark.parametrize('method', OF_PAPERS_PAIRS)
def test_method_is_set_as_for_the_papers_pairs(method):
    papers = catalogue.load(f'r101_r18/{method}_faster-rcnn_r101-r18_fpn_ms-1x_coco')
    ours, theirs = catalogue.load(catalogue.composed(method)).model.distiller, papers.model.distiller
    for cfg in (ours, theirs):
        for loss in cfg.distill_losses.values():
            for key in WIDTHS:  # the demo's pyramids are thin
                loss.pop(key, None)
            loss.setdefault('weighting', dict(type='eakd_det.UniformWeighting'))
    assert ours == theirs


@pytest.mark.parametrize('method', catalogue.DEMO_ONLY)
def test_ea_is_in_the_name_if_and_only_if_in_the_loss(method):
    losses = catalogue.load(catalogue.composed(method)).model.distiller.distill_losses.values()
    kinds = {loss.weighting.type.removeprefix('eakd_det.') for loss in losses}
    assert ('EntropyWeighting' in kinds) == method.startswith('ea-')
    assert {bool(loss.get('standardize')) for loss in losses} == {method.endswith('-ls')}


@pytest.mark.parametrize('method', [m for m in METHODS if 'ctkd' in m or m in ('adakd', 'egad-inspired')])
def test_what_changes_with_the_iterations_knows_how_many_there_are(method):
    cfg = catalogue.load(catalogue.composed(method))
    losses, iterations = cfg.model.distiller.distill_losses, cfg.train_cfg.max_iters
    loss = losses.get('loss_ctkd') or losses.loss_kd
    if 'ctkd' in method:
        assert loss.tau.ramp_iters == round(iterations * 10 / 240)
    else:
        assert loss.weighting.total_iters == iterations


def test_teacher_is_trained_like_the_student():
    teacher, student = load(TEACHER_CONFIG).to_dict(), load(STUDENT_CONFIG).to_dict()
    for key in ('train_dataloader', 'val_dataloader', 'optim_wrapper', 'val_evaluator', 'classes'):
        assert teacher[key] == student[key]


@pytest.mark.parametrize('name', [TEACHER_CONFIG, STUDENT_CONFIG])
def test_no_mirror_images_of_digits(name):
    pipeline = load(name).train_dataloader.dataset.pipeline
    assert not [step for step in pipeline if 'Flip' in step['type']]


def test_plan_names_configs_that_exist():
    plan = demo_plan(FOLDER, FULL, seed=3)
    assert all(config.is_file() for config in (plan.teacher.config, *(arm.config for arm in plan.arms)))
    assert (plan.seeds, plan.teacher.seed) == ((3,), 3)


@pytest.mark.parametrize('size', [FULL, QUICK], ids=['full', 'quick'])
def test_options_override_what_is_there(size):
    for name in (TEACHER_CONFIG, STUDENT_CONFIG, EA_KD_CONFIG):
        cfg = load(name).to_dict()
        for key in size.options:
            node = cfg
            for name in key.split('.'):
                assert name in node, key
                node = node[name]
