"""ReviewKD, FCFD and FGD in the step: their modules train, the teacher does not, and the student stays a plain one."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmrazor.registry import MODELS as MMRAZOR_MODELS
from torch import nn

from eakd_det.errors import ConfigError
from tests import tiny

STUDENT_WIDTH, TEACHER_WIDTH = 12, 16
EA = dict(type='eakd_det.EntropyWeighting', tau=3.0)
WIDTHS = dict(student_channels=STUDENT_WIDTH, teacher_channels=TEACHER_WIDTH)
REVIEW = dict(type='eakd_det.ReviewKDLoss', mid_channels=8, **WIDTHS)
FCFD = dict(type='eakd_det.FCFDLoss', **WIDTHS)
FGD = dict(type='eakd_det.FGDLoss', **WIDTHS)
LOSSES = {
    'review': REVIEW,
    'ea-review': dict(REVIEW, weighting=EA),
    'fcfd': FCFD,
    'ea-fcfd': dict(FCFD, weighting=EA),
    'fgd': FGD,
    'ea-fgd': dict(FGD, weighting=EA),
}
BATCH = tiny.batch(((64, 64), (64, 48)))
every_loss = pytest.mark.parametrize('cfg', LOSSES.values(), ids=LOSSES)


def of_width(width: int, **kwargs: Any) -> dict:
    """A tiny detector whose neck is ``width`` wide."""
    cfg = tiny.faster_rcnn(num_rois=12, **kwargs)
    cfg.neck.out_channels = width
    cfg.rpn_head.in_channels = cfg.roi_head.bbox_roi_extractor.out_channels = width
    heads = cfg.roi_head.bbox_head if isinstance(cfg.roi_head.bbox_head, list) else [cfg.roi_head.bbox_head]
    for head in heads:
        head.in_channels = width
    return cfg


@pytest.fixture(scope='module')
def student():
    return tiny.build(of_width(STUDENT_WIDTH))


@pytest.fixture(scope='module')
def teacher():
    return tiny.build(of_width(TEACHER_WIDTH), seed=1)


@pytest.fixture
def make(student, teacher):
    def build(cfg, **losses):
        torch.manual_seed(0)
        losses = dict(losses, loss_feature=cfg)
        return tiny.distill(copy.deepcopy(student), copy.deepcopy(teacher), losses).train()

    return build


def optimizer_of(model):
    return build_optim_wrapper(model, dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3))).optimizer


@every_loss
def test_the_losses_own_modules_train_and_the_teacher_does_not(make, cfg):
    model = make(cfg)
    optimizer = optimizer_of(model)
    own = dict(model.distiller.distill_losses.named_parameters())
    assert len(own) > 10
    assert {id(parameter) for parameter in own.values()} <= {
        id(parameter) for group in optimizer.param_groups for parameter in group['params']
    }
    frozen, before = copy.deepcopy(model.teacher.state_dict()), copy.deepcopy(model.state_dict())
    own_before = copy.deepcopy(model.distiller.state_dict())
    history = []
    for _ in range(5):
        history.append(float(tiny.step(model, BATCH)['distill.loss_feature']))
        assert all(parameter.grad is not None for parameter in own.values())  # DDP needs no find_unused_parameters
        optimizer.step()
    assert history[-1] < 0.97 * history[0]
    for name, value in model.distiller.state_dict().items():
        # All proposals of this batch are so small that both heads take them from the finest level.
        unread = 'to_student' in name and 'levels.0' not in name and 'running' not in name and 'num' not in name
        assert torch.equal(value, own_before[name]) == unread, name
    assert not torch.equal(before['neck.lateral_convs.0.conv.weight'], model.student.neck.lateral_convs[0].conv.weight)
    assert all(torch.equal(value, frozen[name]) for name, value in model.teacher.state_dict().items())
    assert all(parameter.grad is None for parameter in model.teacher.parameters())


@every_loss
def test_the_checkpoint_is_the_plain_students_and_the_rest_lies_beside_it(make, cfg, student):
    model = make(cfg)
    tiny.step(model, BATCH)  # moves the running statistics
    state = model.state_dict()
    assert set(state) == set(student.state_dict())
    other = make(cfg)
    nn.init.zeros_(next(other.distiller.parameters()))
    other.load_state_dict(state, strict=True)
    expected = model.distiller.state_dict()
    assert any('running_mean' in name for name in expected) or cfg['type'] == FGD['type']  # which has no BatchNorm
    assert all(torch.equal(value, expected[name]) for name, value in other.distiller.state_dict().items())


@every_loss
def test_with_weight_zero_losses_and_gradients_are_stock(make, cfg, student):
    stock = copy.deepcopy(student).train()
    expected, model = tiny.step(stock, BATCH), make(dict(cfg, loss_weight=0.0))
    actual = tiny.step(model, BATCH)
    assert torch.equal(torch.as_tensor(expected['loss_cls']), torch.as_tensor(actual['student.loss_cls']))
    for (name, distilled), plain in zip(model.student.named_parameters(), stock.parameters(), strict=True):
        assert (distilled.grad is None) == (plain.grad is None), name
        assert distilled.grad is None or torch.equal(distilled.grad, plain.grad), name


def calls(module: nn.Module) -> list[int]:
    count = [0]
    module.register_forward_hook(lambda *_: count.__setitem__(0, count[0] + 1))
    return count


def test_only_fcfd_asks_the_heads_again(make):
    for cfg, expected in ((REVIEW, 1), (FGD, 1), (FCFD, 2)):
        model = make(cfg)
        heads = [calls(detector.roi_head.bbox_head) for detector in (model.student, model.teacher)]
        once = [
            calls(part) for detector in (model.student, model.teacher) for part in (detector.backbone, detector.neck)
        ]
        never = calls(model.teacher.rpn_head)
        tiny.step(model, BATCH)
        assert heads == [[expected]] * 2
        assert once == [[1]] * 4
        assert never == [0]


def test_dkd_and_review_are_two_losses(make):
    model = make(REVIEW, loss_dkd=dict(type='eakd_det.DKDLoss', weighting=EA))
    losses = tiny.step(model, BATCH)
    assert losses['distill.loss_dkd'] > 0
    assert losses['distill.loss_feature'] > 0
    assert 'distill.dkd.fg_weight' in losses


def test_fgd_reads_the_annotated_boxes_in_pixels_of_the_padded_batch(make):
    model = make(FGD, loss_kd=dict(type='eakd_det.KDLoss', weighting=EA))
    steps = tiny.steps_of(model)
    tiny.step(model, BATCH)
    annotated = [sample.gt_instances.bboxes for sample in BATCH['data_samples']]
    assert all(map(torch.equal, steps[0].gt_boxes, annotated))
    assert steps[0].input_size == (64, 64)  # the second image is narrower


def test_fgd_of_images_without_objects(make):
    empty = copy.deepcopy(BATCH)
    for sample in empty['data_samples']:
        sample.gt_instances = sample.gt_instances[:0]
    model = make(dict(FGD, foreground_weight=1e9))
    without = tiny.step(model, empty)
    assert 0 < without['distill.loss_feature'] < 1
    assert all(parameter.grad.isfinite().all() for parameter in model.distiller.parameters())
    assert tiny.step(make(dict(FGD, foreground_weight=1e9)), BATCH)['distill.loss_feature'] > 1e3


def test_statistics_of_fcfds_weights_are_logged(make):
    losses = tiny.step(make(LOSSES['ea-fcfd']), BATCH)
    assert losses['distill.feature.bg_weight'] > 0


def test_fcfd_compares_the_same_boxes_on_crossed_features(make):
    """On the teacher's own features the teacher's head repeats its prediction, and the student's its own."""
    model = make(FCFD)
    seen = {}
    loss = model.distiller.distill_losses.loss_feature
    terms = loss.terms

    def keep(**arguments):
        seen.update(arguments)
        return terms(**arguments)

    loss.terms = keep
    tiny.step(model, BATCH)
    for side in 'ST':
        with torch.no_grad():
            logits, deltas = seen[f'predict_{side}'](seen[f'features_{side}'])
        torch.testing.assert_close(logits, seen[f'preds_{side}'])
        torch.testing.assert_close(deltas, seen[f'deltas_{side}'])
    assert torch.is_grad_enabled()
    logits, _ = seen['predict_T']([level.detach().requires_grad_() for level in seen['features_T']])
    assert logits.requires_grad


@every_loss
def test_under_autocast(make, cfg):
    """On a CPU mmcv's NMS and RoIAlign know no half precision, so only the distillation losses run under it."""
    model = make(cfg)
    compute = model.distiller.compute_distill_losses

    def under_autocast():
        with torch.autocast('cpu', dtype=torch.bfloat16):
            return compute()

    expected = tiny.step(model, BATCH)['distill.loss_feature']
    model = make(cfg)
    compute, model.distiller.compute_distill_losses = model.distiller.compute_distill_losses, under_autocast
    actual = tiny.step(model, BATCH)['distill.loss_feature']
    assert actual.dtype == torch.float32
    torch.testing.assert_close(actual, expected, rtol=0.02, atol=0)
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    assert len(gradients) > 20
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_wrong_widths_and_levels_are_named(make):
    with pytest.raises(ConfigError, match=r'expected 5 levels of 16 channels in features_S .* 5 of 12'):
        tiny.step(make(dict(FCFD, student_channels=16)), BATCH)
    with pytest.raises(ConfigError, match=r'expected 4 levels of features, but got 3; set roi_levels'):
        tiny.step(make(dict(FCFD, num_levels=3, roi_levels=3)), BATCH)


def test_cascades_have_boxes_of_their_own(student, teacher):
    cascade = tiny.build(of_width(TEACHER_WIDTH, base='cascade-rcnn_r50_fpn'), seed=2)
    model = tiny.distill(copy.deepcopy(student), copy.deepcopy(cascade), dict(loss_fcfd=FCFD)).train()
    with pytest.raises(ConfigError, match=r'reg_class_agnostic.*\(\d+, 12\) and \(\d+, 4\); set box_weight=0'):
        tiny.step(model, BATCH)
    model.distiller.distill_losses.loss_fcfd.box_weight = 0.0
    assert tiny.step(model, BATCH)['distill.loss_fcfd'] > 0
    student = tiny.build(of_width(STUDENT_WIDTH, base='cascade-rcnn_r50_fpn'))
    model = tiny.distill(student, cascade, dict(loss_fcfd=FCFD), student_stage=1, teacher_stage=2).train()
    assert tiny.step(model, BATCH)['distill.loss_fcfd'] > 0


def test_review_in_mmrazors_fpn_teacher_distill(student, teacher):
    neck = dict(neck=dict(type='ModuleOutputs', source='neck'))
    cfg = dict(
        _scope_='mmrazor',
        type='FpnTeacherDistill',
        architecture=copy.deepcopy(student),
        teacher=copy.deepcopy(teacher),
        distiller=dict(
            type='ConfigurableDistiller',
            student_recorders=neck,
            teacher_recorders=neck,
            distill_losses=dict(loss_review=REVIEW),
            loss_forward_mappings=dict(
                loss_review=dict(
                    features_S=dict(recorder='neck', from_student=True),
                    features_T=dict(recorder='neck', from_student=False),
                )
            ),
        ),
    )
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MMRAZOR_MODELS.build(cfg)
    model.train()
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    history = []
    for _ in range(5):
        history.append(float(tiny.step(model, BATCH)['distill.loss_review']))
        optimizer.step()
    assert history[-1] < 0.97 * history[0]
