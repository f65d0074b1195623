"""The demo's configs: each arm differs from the plain student in the method only."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

import eakd_det  # noqa: F401
from eakd_det.demo.plan import FULL, QUICK, STAGES, STUDENT_CONFIG

FOLDER = Path(__file__).parents[2] / 'configs' / 'demo'
PAPERS = FOLDER.parent / 'r101_r18'
METHODS = ('kd', 'kd-matched', 'ea-kd', 'dkd', 'ea-dkd')
PAIR = 'faster-rcnn_r18w32-r18w16_fpn_demo'
TEACHER = 'teacher_faster-rcnn_r18w32_fpn_demo.py'


def load(name: str) -> Config:
    return Config.fromfile(FOLDER / name)


def test_these_configs_and_no_others():
    expected = [TEACHER, STUDENT_CONFIG, *(f'{method}_{PAIR}.py' for method in METHODS)]
    assert sorted(path.name for path in FOLDER.glob('*.py')) == sorted(expected)


@pytest.mark.parametrize('method', METHODS)
def test_arm_differs_from_the_student_in_the_model_only(method):
    arm, plain = load(f'{method}_{PAIR}.py').to_dict(), load(STUDENT_CONFIG).to_dict()
    assert arm['model']['architecture'] == plain['model']
    assert arm['model']['teacher'] == load(TEACHER).model.to_dict()
    del arm['model'], plain['model']
    assert arm == plain


@pytest.mark.parametrize('method', METHODS)
def test_method_is_set_as_for_the_papers_pairs(method):
    (papers,) = PAPERS.glob(f'{method}_faster-rcnn_r101-r18_*.py')
    assert load(f'{method}_{PAIR}.py').model.distiller == Config.fromfile(papers).model.distiller


def test_teacher_is_trained_like_the_student():
    teacher, student = load(TEACHER).to_dict(), load(STUDENT_CONFIG).to_dict()
    for key in ('train_dataloader', 'val_dataloader', 'optim_wrapper', 'val_evaluator', 'classes'):
        assert teacher[key] == student[key]


@pytest.mark.parametrize('name', [TEACHER, STUDENT_CONFIG])
def test_no_mirror_images_of_digits(name):
    pipeline = load(name).train_dataloader.dataset.pipeline
    assert not [step for step in pipeline if 'Flip' in step['type']]


def test_plan_names_configs_that_exist_and_teachers_that_come_first():
    for index, stage in enumerate(STAGES):
        assert (FOLDER / stage.config).is_file()
        assert stage.learns_from is None or stage.learns_from in [earlier.name for earlier in STAGES[:index]]


@pytest.mark.parametrize('size', [FULL, QUICK], ids=['full', 'quick'])
def test_options_override_what_is_there(size):
    for stage in STAGES:
        cfg = load(stage.config).to_dict()
        for key in size.options:
            node = cfg
            for name in key.split('.'):
                assert name in node, key
                node = node[name]
