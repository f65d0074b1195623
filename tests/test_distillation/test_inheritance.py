"""What a student takes from its teacher: which elements, which layers, and when."""

from __future__ import annotations

import copy

import pytest
import torch
from mmengine.registry import DefaultScope

from eakd_det.distillation.inheritance import inherit_weights
from eakd_det.errors import ConfigError
from eakd_det.selection import select_elements
from tests import tiny

PARTS = ['backbone', 'neck', 'rpn_head', 'roi_head']


def wide(**changes):
    """The tiny detector with twice the channels in backbone and neck."""
    cfg = tiny.faster_rcnn(**changes)
    cfg.backbone.update(base_channels=16, stem_channels=16)
    cfg.neck.update(in_channels=[16, 32, 64, 128], out_channels=32)
    cfg.rpn_head.update(in_channels=32, feat_channels=32)
    cfg.roi_head.bbox_roi_extractor.out_channels = 32
    cfg.roi_head.bbox_head.update(in_channels=32)
    return cfg


def deep():
    """The tiny detector with bottlenecks, hence other backbone levels."""
    cfg = tiny.faster_rcnn()
    cfg.backbone.depth = 50
    cfg.neck.in_channels = [32, 64, 128, 256]
    return cfg


@pytest.fixture
def student():
    return tiny.build(tiny.faster_rcnn(), seed=0)


def distilled(tmp_path, teacher_cfg, **kwargs):
    teacher = tiny.build(teacher_cfg, seed=1)
    torch.save({'state_dict': teacher.state_dict()}, tmp_path / 'teacher.pth')
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = tiny.distill(
            tiny.faster_rcnn(), copy.deepcopy(teacher_cfg), teacher_ckpt=str(tmp_path / 'teacher.pth'), **kwargs
        )
    return model, teacher.state_dict()


@pytest.mark.parametrize(
    ('given', 'wanted', 'block', 'selected'),
    [
        (6, 3, 1, [0, 2, 4]),
        (4, 4, 1, [0, 1, 2, 3]),
        (5, 3, 1, [0, 2, 4]),
        (7, 1, 1, [0]),
        (12, 6, 3, [0, 1, 2, 6, 7, 8]),
    ],
)
def test_selected_elements_are_evenly_spaced(given, wanted, block, selected):
    tensor = torch.arange(given).expand(2, given)
    assert select_elements(tensor, wanted, 1, block).tolist() == [selected, selected]


def test_equal_teacher_is_copied(student):
    teacher = tiny.build(tiny.faster_rcnn(), seed=1).state_dict()
    result = inherit_weights(student, teacher, PARTS)
    assert all(item.thinned == item.left == 0 and item.copied for item in result.values())
    for name, tensor in student.state_dict().items():
        assert torch.equal(tensor, teacher[name]) or name.endswith('num_batches_tracked')


def test_selected_channels_agree_between_layers(student):
    teacher = tiny.build(wide(), seed=1)
    given = teacher.state_dict()
    inherit_weights(student, given, PARTS)
    own = student.state_dict()
    even = {8: torch.arange(0, 16, 2), 16: torch.arange(0, 32, 2)}
    first = 'backbone.layer1.0.conv1.weight'
    assert torch.equal(own[first], given[first][even[8]][:, even[8]])
    assert torch.equal(own['backbone.bn1.running_var'], given['backbone.bn1.running_var'][even[8]])
    assert torch.equal(own['rpn_head.rpn_cls.weight'], given['rpn_head.rpn_cls.weight'][:, even[16]])
    # A flattened RoI has its 49 positions channel by channel.
    first_fc = 'roi_head.bbox_head.shared_fcs.0.weight'
    channels = given[first_fc].reshape(24, 32, 49)[:, even[16]]
    assert torch.equal(own[first_fc], channels.reshape(24, 16 * 49))


def test_student_computes_what_a_teacher_with_silent_other_channels_does(student):
    """If the channels that are not selected are zero, both networks are the same function."""
    teacher = tiny.build(wide(), seed=1).eval()
    odd = slice(1, None, 2)
    with torch.no_grad():
        for name, tensor in teacher.state_dict().items():
            layer = name.rpartition('.')[0]
            if tensor.dim() > 0 and tensor.shape[0] % 16 == 0 and 'bbox_head' not in layer:
                tensor[odd] = 0
        inherit_weights(student, teacher.state_dict(), PARTS)
        image = torch.randn(1, 3, 64, 64)
        ours, theirs = student.eval().extract_feat(image), teacher.extract_feat(image)
        for mine, given in zip(ours, theirs, strict=True):
            torch.testing.assert_close(mine, given[:, ::2])
        region = torch.randn(2, 32, 7, 7)
        region[:, odd] = 0
        for mine, given in zip(
            student.roi_head.bbox_head(region[:, ::2]), teacher.roi_head.bbox_head(region), strict=True
        ):
            torch.testing.assert_close(mine, given)


def test_other_backbone_is_left_with_the_layers_that_read_it(student):
    before = copy.deepcopy(student.state_dict())
    teacher = tiny.build(deep(), seed=1).state_dict()
    result = inherit_weights(student, teacher, PARTS)
    assert result['backbone'].copied == result['backbone'].thinned == 0
    after = student.state_dict()
    lateral = 'neck.lateral_convs.0.conv'
    for name in ('backbone.layer1.0.conv2.weight', f'{lateral}.weight', f'{lateral}.bias'):
        assert torch.equal(after[name], before[name])
    for name in ('neck.fpn_convs.0.conv.weight', 'rpn_head.rpn_conv.weight', 'roi_head.bbox_head.fc_cls.weight'):
        assert torch.equal(after[name], teacher[name])


def test_without_the_neck_channels_of_another_width_are_not_selected(student):
    result = inherit_weights(student, tiny.build(wide(), seed=1).state_dict(), ['rpn_head', 'roi_head'])
    assert str(result['rpn_head']) == '6 left as initialised'
    assert result['roi_head'].thinned == 0


def test_class_layers_stay_if_classes_differ(student):
    before = copy.deepcopy(student.state_dict())
    teacher = tiny.build(tiny.faster_rcnn(), seed=1).state_dict()
    inherit_weights(student, teacher, PARTS, same_classes=False)
    after = student.state_dict()
    assert torch.equal(after['roi_head.bbox_head.fc_cls.weight'], before['roi_head.bbox_head.fc_cls.weight'])
    assert torch.equal(after['rpn_head.rpn_cls.weight'], teacher['rpn_head.rpn_cls.weight'])


def test_nothing_that_fits_is_an_error(student):
    with pytest.raises(ConfigError, match=r'model\.inherit'):
        inherit_weights(student, {'backbone.other.weight': torch.zeros(1)}, ['backbone'])


@pytest.mark.parametrize('parts', [[], ['bakcbone'], ['neck', 'neck']])
def test_invalid_parts_are_an_error_of_one_line(tmp_path, parts):
    with pytest.raises(ConfigError, match=r'model\.inherit: expected some of backbone, neck') as error:
        distilled(tmp_path, wide(), inherit=parts)
    assert '\n' not in str(error.value)


def test_inheritance_needs_a_checkpoint():
    with pytest.raises(ConfigError, match=r'model\.teacher_ckpt'), DefaultScope.overwrite_default_scope('mmdet'):
        tiny.distill(tiny.faster_rcnn(), wide(), inherit=PARTS)


def test_fresh_run_inherits_and_a_checkpoint_replaces_it(tmp_path):
    model, teacher = distilled(tmp_path, wide(), inherit=PARTS)
    model.init_weights()
    name = 'neck.fpn_convs.0.conv.weight'
    assert torch.equal(model.student.state_dict()[name], teacher[name][::2, ::2])
    saved = tiny.build(tiny.faster_rcnn(), seed=5).state_dict()
    model.load_state_dict(saved)
    assert all(torch.equal(tensor, saved[key]) for key, tensor in model.student.state_dict().items())


def test_loaded_student_keeps_its_weights(tmp_path):
    model, _ = distilled(tmp_path, wide(), inherit=PARTS)
    model.student.is_init = True  # as after loading pretrained weights
    before = copy.deepcopy(model.student.state_dict())
    model.init_weights()
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.student.state_dict().items())


def test_frozen_teacher_is_unchanged(tmp_path):
    model, _ = distilled(tmp_path, tiny.faster_rcnn(), inherit=PARTS)
    model.init_weights()
    before = copy.deepcopy(model.teacher.state_dict())
    with torch.no_grad():
        for parameter in model.student.parameters():
            parameter.add_(1.0)
    assert all(torch.equal(tensor, before[key]) for key, tensor in model.teacher.state_dict().items())
