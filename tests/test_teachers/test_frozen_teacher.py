"""The frozen teacher: loaded strictly, and run on the pixels it was trained on."""

from __future__ import annotations

import copy

import pytest
import torch

from eakd_det.errors import ConfigError
from tests import tiny


@pytest.fixture(scope='module')
def student():
    return tiny.build(tiny.faster_rcnn())


@pytest.fixture(scope='module')
def trained():
    return tiny.build(tiny.faster_rcnn(), seed=1)


def saved(tmp_path, detector, **meta):
    path = tmp_path / 'teacher.pth'
    torch.save(dict(state_dict=detector.state_dict(), meta=meta), path)
    return str(path)


def test_the_checkpoint_is_loaded_and_survives_init_weights(student, trained, tmp_path):
    path = saved(tmp_path, trained, dataset_meta=dict(classes=('a', 'b', 'c')))
    model = tiny.distill(
        copy.deepcopy(student), tiny.faster_rcnn(), teacher_ckpt=path, teacher_options=dict(enabled=False)
    )
    model.init_weights()
    assert all(torch.equal(value, trained.state_dict()[name]) for name, value in model.teacher.state_dict().items())
    assert model.teacher_classes == ('a', 'b', 'c')


def test_classes_of_mmdetection_2_are_read(student, trained, tmp_path):
    model = tiny.distill(
        copy.deepcopy(student), tiny.faster_rcnn(), teacher_ckpt=saved(tmp_path, trained, CLASSES=('a', 'b', 'c'))
    )
    assert model.teacher_classes == ('a', 'b', 'c')


def test_a_checkpoint_with_other_classes_than_its_head_is_an_error(student, trained, tmp_path):
    path = saved(tmp_path, trained, dataset_meta=dict(classes=('a', 'b')))
    with pytest.raises(ConfigError, match=r'model\.teacher_ckpt: .*teacher\.pth was trained on 2 classes.* is 3'):
        tiny.distill(copy.deepcopy(student), tiny.faster_rcnn(), teacher_ckpt=path)


def test_a_missing_file_is_named(student):
    with pytest.raises(ConfigError, match=r'model\.teacher_ckpt: .*nowhere\.pth does not exist'):
        tiny.distill(copy.deepcopy(student), tiny.faster_rcnn(), teacher_ckpt='nowhere.pth')


def test_another_architecture_is_refused_with_counts(student, tmp_path):
    other = tiny.faster_rcnn()
    other.backbone.depth = 34
    path = saved(tmp_path, tiny.build(other))
    with pytest.raises(ConfigError, match=r'does not fit FasterRCNN: \d+ tensors match, 0 missing, \d+ unexpected'):
        tiny.distill(copy.deepcopy(student), tiny.faster_rcnn(), teacher_ckpt=path)


@pytest.mark.parametrize('student_pixels', [tiny.RGB, tiny.CAFFE])
@pytest.mark.parametrize('teacher_pixels', [tiny.RGB, tiny.CAFFE])
def test_the_teacher_gets_what_it_was_trained_on(student_pixels, teacher_pixels):
    teacher_cfg = tiny.faster_rcnn(**teacher_pixels)
    model = tiny.distill(tiny.build(tiny.faster_rcnn(**student_pixels)), tiny.build(teacher_cfg, seed=1)).train()
    seen = {}
    extract = model.teacher.extract_feat
    model.teacher.extract_feat = lambda images: (seen.update(images=images), extract(images))[1]
    data = tiny.batch()
    tiny.step(model, data)
    expected = model.teacher.data_preprocessor(copy.deepcopy(data))['inputs']
    assert torch.allclose(seen['images'], expected, atol=2e-4)


def test_no_gradient_is_recorded_for_the_teacher(student, trained):
    model = tiny.distill(copy.deepcopy(student), copy.deepcopy(trained)).train()
    steps = tiny.steps_of(model)
    tiny.step(model, tiny.batch())
    assert not steps[0].teacher.logits.requires_grad
    assert not steps[0].teacher.logits.is_inference()


def test_its_preprocessor_learns_where_it_has_moved(student, trained):
    """Or an evaluation of the teacher on a GPU would normalise its images on the CPU."""
    model = tiny.distill(copy.deepcopy(student), copy.deepcopy(trained), teacher_options=dict(enabled=False))
    assert model.teacher.data_preprocessor.device == torch.device('cpu')
    copy.deepcopy(model).to('meta')  # the copy shares the teacher, which stays
    assert model.teacher.data_preprocessor.device == torch.device('cpu')
    model.to('meta')
    assert next(model.teacher.parameters()).device == model.teacher.data_preprocessor.device == torch.device('meta')
    model = tiny.distill(copy.deepcopy(student), copy.deepcopy(trained)).double()
    assert model.teacher.data_preprocessor.device == torch.device('cpu')
