"""A teacher of other classes, through the tools: from the config file to the trained student."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mmengine.config import Config

from eakd_det.evaluation import EvalRecord
from tests import tiny, tiny_data
from tests.test_cli.conftest import Workspace, one_error

CLASSES = ('ring', 'star', 'square', 'ball', 'plate')
MAP = dict(disc=['ball', 'plate'])


@pytest.fixture(scope='module')
def teacher(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp('teacher') / 'teacher.pth'
    detector = tiny.build(tiny.faster_rcnn(num_classes=5), seed=1)
    torch.save(dict(state_dict=detector.state_dict(), meta=dict(dataset_meta=dict(classes=CLASSES))), path)
    return str(path)


def config(workspace: Workspace, teacher: str, **changes: Any) -> Config:
    cfg = tiny_data.distill_config(workspace.data, teacher, iters=2, **changes)
    cfg.model.class_map = MAP
    cfg.custom_hooks.append(dict(type='eakd_det.ClassCheckHook'))
    return cfg


def test_trains(workspace: Workspace, teacher: str, capsys: pytest.CaptureFixture[str]) -> None:
    cfg = config(workspace, teacher, classes=tiny_data.CLASSES, data_root=str(workspace.data))

    assert workspace.train(workspace.write(cfg)) == 0

    assert 'square <- square, disc <- ball + plate, ring <- ring; all others (1)' in capsys.readouterr().out
    record = EvalRecord.read(workspace.work_dir / 'eval_record.json')
    assert [entry.subject for entry in record.entries] == ['student', 'student']


def test_the_teacher_is_tested_on_its_own_classes(workspace: Workspace, teacher: str) -> None:
    for split in ('train', 'val'):
        own = tiny_data.read_annotations(workspace.data, split)
        own['categories'] = [dict(id=index, name=name) for index, name in enumerate(CLASSES, 1)]
        tiny_data.write_annotations(workspace.data, split, own)
    cfg = config(workspace, teacher, classes=CLASSES, data_root=str(workspace.data))
    assert workspace.test(workspace.write(cfg), '--teacher') == 0


@pytest.mark.parametrize('class_map', [dict(disk='ball'), dict(disc='bal')])
def test_a_slip_names_the_nearest(
    workspace: Workspace, teacher: str, capsys: pytest.CaptureFixture[str], class_map: dict[str, str]
) -> None:
    cfg = config(workspace, teacher)
    cfg.model.class_map, cfg.model.student_classes = class_map, tiny_data.CLASSES
    assert workspace.train(workspace.write(cfg)) == 1
    assert f'did you mean {"disc" if "disk" in class_map else "ball"!r}?' in one_error(capsys.readouterr())


def test_an_order_that_is_not_the_datas_is_one_line(
    workspace: Workspace, teacher: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cfg = config(workspace, teacher)
    cfg.model.student_classes = ('disc', 'square', 'ring')
    assert workspace.train(workspace.write(cfg)) == 1
    assert "index 0 is 'square' in the training data and 'disc' in model.student_classes" in one_error(
        capsys.readouterr()
    )


def test_a_teacher_of_other_classes_is_not_scored_on_this_data(
    workspace: Workspace, teacher: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cfg = config(workspace, teacher)
    cfg.model.student_classes = tiny_data.CLASSES
    cfg.custom_hooks[0].teacher = True
    assert workspace.train(workspace.write(cfg)) == 1
    assert 'CocoEvalHook.teacher: expected a teacher with the classes' in one_error(capsys.readouterr())
