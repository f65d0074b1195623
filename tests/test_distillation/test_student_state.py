"""Checkpoints are the plain student's, and still resume everything."""

from __future__ import annotations

import copy
import io
import subprocess
import sys
import textwrap

import pytest
import torch
from mmengine.runner.checkpoint import get_state_dict, load_state_dict, weights_to_cpu

from tests import tiny
from tests.processes import needs_compiled_ops

CONNECTOR = dict(
    student_recorders=dict(neck=dict(type='ModuleOutputs', source='neck')),
    teacher_recorders=dict(neck=dict(type='ModuleOutputs', source='neck')),
    connectors=dict(align=dict(type='ConvModuleConnector', in_channel=16, out_channel=16)),
    loss_forward_mappings=dict(
        loss_neck=dict(
            s_feature=dict(recorder='neck', from_student=True, data_idx=0, connector='align'),
            t_feature=dict(recorder='neck', from_student=False, data_idx=0),
        )
    ),
)
LOSSES = dict(loss_kd=dict(type='eakd_det.KDLoss'), loss_neck=dict(type='L2Loss'))


@pytest.fixture(scope='module')
def student():
    return tiny.build(tiny.faster_rcnn())


@pytest.fixture(scope='module')
def teacher():
    return tiny.build(tiny.faster_rcnn(), seed=1)


def with_connector(student, teacher, seed=0):
    torch.manual_seed(seed)
    return tiny.distill(copy.deepcopy(student), teacher, losses=LOSSES, distiller=CONNECTOR)


def through_a_file(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize('state_of', [get_state_dict, lambda model: model.state_dict()], ids=['mmengine', 'torch'])
def test_keys_are_the_students_and_load_strictly_in_stock(student, teacher, state_of):
    model = with_connector(student, teacher)
    state = state_of(model)
    assert set(state) == set(student.state_dict())
    load_state_dict(copy.deepcopy(student), state, strict=True)
    copy.deepcopy(student).load_state_dict(state, strict=True)


@pytest.mark.parametrize('load', [lambda m, s: load_state_dict(m, s, strict=True), lambda m, s: m.load_state_dict(s)])
def test_connectors_survive_a_checkpoint(student, teacher, load):
    model = with_connector(student, teacher)
    state = through_a_file(weights_to_cpu(get_state_dict(model)))
    other = with_connector(tiny.build(tiny.faster_rcnn(), seed=5), teacher, seed=9)
    loaded = dict(other.distiller.named_parameters())
    assert not torch.equal(
        loaded['connectors.align.conv_module.conv.weight'], model.distiller.connectors.align.conv_module.conv.weight
    )
    load(other, state)
    for (name, a), (_, b) in zip(model.named_parameters(), other.named_parameters(), strict=True):
        assert torch.equal(a, b), name


def test_a_plain_student_checkpoint_starts_the_student(student, teacher):
    model = tiny.distill(tiny.build(tiny.faster_rcnn(), seed=5), teacher)
    model.load_state_dict(student.state_dict(), strict=True)
    assert all(torch.equal(a, b) for a, b in zip(model.student.parameters(), student.parameters(), strict=True))


def test_an_mmrazor_checkpoint_loads_without_its_teacher(student, teacher):
    model = tiny.distill(tiny.build(tiny.faster_rcnn(), seed=5), teacher)
    state = {f'architecture.{name}': value for name, value in student.state_dict().items()}
    state |= {f'teacher.{name}': value for name, value in student.state_dict().items()}
    model.load_state_dict(state, strict=True)
    assert torch.equal(model.student.backbone.conv1.weight, student.backbone.conv1.weight)
    assert not torch.equal(model.teacher.backbone.conv1.weight, student.backbone.conv1.weight)


def test_a_misfit_is_still_an_error(student, teacher):
    model = tiny.distill(copy.deepcopy(student), teacher)
    state = model.state_dict()
    state.pop('backbone.conv1.weight')
    with pytest.raises(RuntimeError, match=r'backbone\.conv1\.weight'):
        model.load_state_dict(state, strict=True)


def test_the_ema_of_the_algorithm_is_the_ema_of_the_student(student, teacher):
    from mmengine.model import ExponentialMovingAverage

    model = with_connector(student, teacher)
    average = ExponentialMovingAverage(model)
    average.update_parameters(model)
    keys = {name for name in average.state_dict() if name != 'steps'}
    assert keys == {f'module.{name}' for name in student.state_dict()}
    average.load_state_dict(through_a_file(average.state_dict()))


@needs_compiled_ops
def test_stock_mmdetection_reads_it_without_this_package(student, teacher, tmp_path):
    cfg = tiny.faster_rcnn()
    from mmengine.config import Config

    Config(dict(model=cfg, test_dataloader=dict(dataset=dict(pipeline=[])), default_scope='mmdet')).dump(
        tmp_path / 'student.py'
    )
    model = with_connector(student, teacher)
    torch.save(
        dict(state_dict=get_state_dict(model), meta=dict(dataset_meta=dict(classes=('a', 'b', 'c')))),
        tmp_path / 'student.pth',
    )
    script = f"""
    import sys, torch
    sys.modules['eakd_det'] = sys.modules['mmrazor'] = None  # any import of them would fail
    from mmdet.apis import init_detector
    from mmengine.runner import load_checkpoint
    config, checkpoint = {str(tmp_path / 'student.py')!r}, {str(tmp_path / 'student.pth')!r}
    detector = init_detector(config, checkpoint, device='cpu', palette='coco')
    load_checkpoint(detector, checkpoint, strict=True)
    print(detector.dataset_meta['classes'], float(detector.backbone.conv1.weight.detach().sum()))
    """
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', textwrap.dedent(script)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "('a', 'b', 'c')" in done.stdout
    assert float(done.stdout.split()[-1]) == pytest.approx(float(student.backbone.conv1.weight.detach().sum()))
