"""What the configs say: names, the papers' recipe, teachers, and that all of a folder differ in the method only."""

from __future__ import annotations

import copy
import os
import re

import mmdet
import pytest
import yaml
from mmengine.config import Config
from mmengine.runner.checkpoint import get_external_models

import eakd_det  # noqa: F401
from tests.test_configs.catalogue import (
    COCO,
    CUSTOM,
    DISTILLED,
    FOLDERS,
    NAMES,
    RECIPE,
    ROOT,
    load,
    student_name,
    student_of,
)

MMDET_CONFIGS = os.path.join(os.path.dirname(mmdet.__file__), '.mim', 'configs')
HOOKS = ['eakd_det.ClassCheckHook', 'eakd_det.NonFiniteLossHook', 'eakd_det.CocoEvalHook']
UNIFORM = dict(weighting=dict(type='eakd_det.UniformWeighting'))
MATCHED = dict(weighting=dict(type='eakd_det.MeanMatchedWeighting', tau=3.0))
EA = dict(weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))
KD = dict(type='eakd_det.KDLoss', tau=1.0, loss_weight=1.0)
DKD = dict(type='eakd_det.DKDLoss', tau=1.0, alpha=1.0, beta=0.25, loss_weight=1.0)
REVIEW = dict(type='eakd_det.ReviewKDLoss')
FCFD = dict(type='eakd_det.FCFDLoss', tau=1.0, box_weight=1.0, feature_weight=1.0, loss_weight=1.0)
LOSSES = {
    'kd': dict(loss_kd=KD | UNIFORM),
    'kd-matched': dict(loss_kd=KD | MATCHED),
    'ea-kd': dict(loss_kd=KD | EA),
    'dkd': dict(loss_dkd=DKD | UNIFORM),
    'ea-dkd': dict(loss_dkd=DKD | EA),
    'review-kd': dict(loss_review=REVIEW | UNIFORM),
    'ea-review-kd': dict(loss_review=REVIEW | EA),
    'dkd-review-kd': dict(loss_dkd=DKD | UNIFORM, loss_review=REVIEW | UNIFORM),
    'fcfd': dict(loss_fcfd=FCFD | UNIFORM),
    'ea-fcfd': dict(loss_fcfd=FCFD | EA),
}
REVIEW_WEIGHTS = {'r101_r18': 1.2, 'r50_mv2': 2.0}  # ReviewKD's and mdistiller's, by pair
TEACHERS = {
    'r101_r18/ea-kd_faster-rcnn_r101-r18_fpn_ms-1x_coco': ('faster-rcnn_r101_fpn_ms-3x_coco', 41.8),
    'r101_r18/ea-kd_faster-rcnn_r101-caffe-r18_fpn_ms-1x_coco': ('faster-rcnn_r101-caffe_fpn_ms-3x_coco', 42.0),
    'r50_mv2/ea-kd_faster-rcnn_r50-mv2_fpn_ms-1x_coco': ('faster-rcnn_r50_fpn_ms-3x_coco', 40.3),
}


def test_these_configs_and_no_others():
    for folder, names in FOLDERS.items():
        assert sorted(path.stem for path in (ROOT / folder).glob('*.py')) == sorted(names)


@pytest.mark.parametrize('name', NAMES)
def test_thin_and_without_delete(name):
    text = (ROOT / f'{name}.py').read_text()
    assert '_delete_' not in text
    assert len(text.splitlines()) <= 20
    assert '_delete_' not in str(load(name).to_dict())


@pytest.mark.parametrize('name', NAMES)
def test_dumped_config_reads_back_the_same(name, tmp_path):
    cfg = load(name)
    cfg.dump(tmp_path / 'dumped.py')
    assert Config.fromfile(tmp_path / 'dumped.py').to_dict() == cfg.to_dict()


def test_options_reach_the_loss_of_a_dumped_config(tmp_path):
    load('r101_r18/ea-kd_faster-rcnn_r101-r18_fpn_ms-1x_coco').dump(tmp_path / 'dumped.py')
    cfg = Config.fromfile(tmp_path / 'dumped.py')
    loss = 'model.distiller.distill_losses.loss_kd'
    cfg.merge_from_dict({f'{loss}.weighting.tau': 2, f'{loss}.loss_weight': 0.5})
    assert cfg.model.distiller.distill_losses.loss_kd == dict(
        type='eakd_det.KDLoss', tau=1.0, loss_weight=0.5, weighting=dict(type='eakd_det.EntropyWeighting', tau=2)
    )


@pytest.mark.parametrize('name', DISTILLED)
def test_the_loss_is_the_one_in_the_name(name):
    folder, file = name.split('/')
    losses = copy.deepcopy(LOSSES[file.split('_')[0]])
    if 'loss_review' in losses:
        losses['loss_review']['loss_weight'] = REVIEW_WEIGHTS[folder]
    assert load(name).model.distiller == dict(type='eakd_det.ProposalDistiller', distill_losses=losses)


@pytest.mark.parametrize('name', DISTILLED)
def test_differs_from_the_plain_student_in_the_model_only(name):
    cfg, plain = load(name), load(student_name(name))
    assert cfg.model.type == 'eakd_det.ProposalDistill'
    assert cfg.model.architecture.to_dict() == plain.model.to_dict()
    ours, theirs = cfg.to_dict(), plain.to_dict()
    del ours['model'], theirs['model']
    assert ours == theirs


@pytest.mark.parametrize('name', RECIPE)
def test_runtime(name):
    cfg = load(name)
    assert [hook.type for hook in cfg.custom_hooks] == HOOKS
    assert cfg.default_hooks.logger.interval == 50
    assert cfg.default_hooks.logger.log_metric_by_epoch is False
    assert cfg.log_processor.by_epoch is False
    checkpoint = cfg.default_hooks.checkpoint
    assert (checkpoint.by_epoch, checkpoint.save_best, checkpoint.rule) == (False, 'coco/bbox_mAP', 'greater')
    assert checkpoint.interval == cfg.train_cfg.val_interval
    assert cfg.train_cfg.max_iters % cfg.train_cfg.val_interval == 0
    assert cfg.auto_scale_lr == dict(enable=False, base_batch_size=8)
    assert cfg.train_dataloader.batch_size == 8
    assert cfg.train_dataloader.sampler.type == 'InfiniteSampler'
    assert cfg.default_scope == 'mmdet'
    assert cfg.env_cfg.cudnn_benchmark is False
    assert cfg.visualizer.type == 'DetLocalVisualizer'


@pytest.mark.parametrize('name', RECIPE)
def test_optimizer(name):
    sgd = dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=0.0001)
    assert load(name).optim_wrapper == dict(type='OptimWrapper', optimizer=sgd)  # no clipping, nothing per parameter


@pytest.mark.parametrize('name', COCO)
def test_schedule_of_the_papers(name):
    cfg = load(name)
    assert (cfg.train_cfg.type, cfg.train_cfg.max_iters) == ('IterBasedTrainLoop', 180000)
    warm_up, steps = cfg.param_scheduler
    assert (warm_up.type, warm_up.start_factor, warm_up.begin, warm_up.end) == ('LinearLR', 0.001, 0, 1000)
    assert (steps.type, steps.milestones, steps.gamma, steps.end) == ('MultiStepLR', [120000, 160000], 0.1, 180000)
    assert not warm_up.by_epoch
    assert not steps.by_epoch


@pytest.mark.parametrize('name', CUSTOM)
def test_short_schedule(name):
    cfg = load(name)
    warm_up, steps = cfg.param_scheduler
    assert warm_up.end < steps.milestones[0] < steps.milestones[1] < steps.end == cfg.train_cfg.max_iters == 6000


@pytest.mark.parametrize('name', RECIPE)
def test_input(name):
    cfg = load(name)
    *_, resize, flip, _ = cfg.train_dataloader.dataset.pipeline
    assert resize.type == 'RandomChoiceResize'
    assert resize.scales == [(1333, side) for side in (640, 672, 704, 736, 768, 800)]
    assert resize.keep_ratio
    assert (flip.type, flip.prob) == ('RandomFlip', 0.5)
    for loader in (cfg.val_dataloader, cfg.test_dataloader):
        assert (loader.dataset.pipeline[1].type, loader.dataset.pipeline[1].scale) == ('Resize', (1333, 800))
    pixels = student_of(cfg).data_preprocessor
    assert pixels.mean == [123.675, 116.28, 103.53]  # red, green, blue: the published R18 runs had red and blue swapped
    assert pixels.std == [58.395, 57.12, 57.375]
    assert pixels.bgr_to_rgb
    assert pixels.pad_size_divisor == 32


@pytest.mark.parametrize('name', RECIPE)
def test_detector_settings_of_detectron2(name):
    model = student_of(load(name))
    rpn, rcnn, train, test = model.rpn_head, model.roi_head, model.train_cfg, model.test_cfg
    assert (train.rpn.sampler.num, train.rpn.sampler.pos_fraction) == (256, 0.5)
    assert (train.rpn.assigner.pos_iou_thr, train.rpn.assigner.neg_iou_thr) == (0.7, 0.3)
    assert (train.rpn_proposal.nms_pre, train.rpn_proposal.max_per_img) == (2000, 1000)
    assert (test.rpn.nms_pre, test.rpn.max_per_img) == (1000, 1000)
    assert train.rpn_proposal.nms.iou_threshold == test.rpn.nms.iou_threshold == 0.7
    sampler = train.rcnn.sampler
    assert (sampler.num, sampler.pos_fraction, sampler.add_gt_as_proposals) == (512, 0.25, True)
    assert train.rcnn.assigner.pos_iou_thr == train.rcnn.assigner.neg_iou_thr == 0.5
    assert (test.rcnn.score_thr, test.rcnn.nms.iou_threshold, test.rcnn.max_per_img) == (0.05, 0.5, 100)
    assert rpn.loss_bbox == rcnn.bbox_head.loss_bbox == dict(type='L1Loss', loss_weight=1.0)
    assert rpn.bbox_coder.target_stds == [1.0] * 4
    assert rcnn.bbox_head.bbox_coder.target_stds == [0.1, 0.1, 0.2, 0.2]
    assert rcnn.bbox_roi_extractor.roi_layer == dict(type='RoIAlign', output_size=7, sampling_ratio=0)
    assert (rcnn.bbox_head.type, rcnn.bbox_head.fc_out_channels) == ('Shared2FCBBoxHead', 1024)
    assert not rcnn.bbox_head.reg_class_agnostic
    assert rcnn.bbox_head.num_classes == 80
    assert (model.neck.out_channels, model.neck.num_outs) == (256, 5)


@pytest.mark.parametrize('name', RECIPE)
def test_frozen_norm_and_initial_weights(name):
    backbone = student_of(load(name)).backbone
    assert backbone.norm_cfg == dict(type='BN', requires_grad=False)
    assert backbone.norm_eval
    if backbone.type == 'ResNet':
        assert backbone.frozen_stages == 1
    else:
        assert (backbone.type, backbone.frozen_stages) == ('eakd_det.MobileNetV2', -1)
        assert backbone.out_indices == (1, 2, 4, 6)
        assert backbone.init_cfg.checkpoint.split('://')[1] in get_external_models()
    if name.startswith('r101_r18'):
        # MMEngine wants torchvision installed to resolve torchvision://resnet18; this is the same file
        assert re.fullmatch(
            r'https://download\.pytorch\.org/models/resnet18-[0-9a-f]{8}\.pth', backbone.init_cfg.checkpoint
        )


@pytest.mark.parametrize(('name', 'teacher', 'box_ap'), [(k, *v) for k, v in TEACHERS.items()], ids=list(TEACHERS))
def test_teacher_is_that_of_the_model_zoo(name, teacher, box_ap):
    cfg = load(name)
    zoo = {model['Config']: model for model in _metafile()['Models']}[f'configs/faster_rcnn/{teacher}.py']
    assert cfg.model.teacher_ckpt == zoo['Weights']
    assert zoo['Results'][0]['Metrics']['box AP'] == box_ap
    ours = cfg.model.teacher.to_dict()
    theirs = Config.fromfile(f'{MMDET_CONFIGS}/faster_rcnn/{teacher}.py').model.to_dict()
    assert ours['backbone'].pop('init_cfg') is None
    ours.pop('_scope_', None)
    for backbone in (ours['backbone'], theirs['backbone']):
        for only_for_training in ('init_cfg', 'frozen_stages', 'norm_cfg'):
            backbone.pop(only_for_training, None)
    if 'caffe' in teacher:  # MMDetection 3.3 lost them in this config of its; see the test below
        ours.pop('data_preprocessor'), theirs.pop('data_preprocessor')
    assert ours == theirs


def test_caffe_teacher_gets_caffe_pixels():
    ours = load('r101_r18/ea-kd_faster-rcnn_r101-caffe-r18_fpn_ms-1x_coco').model.teacher.data_preprocessor.to_dict()
    theirs = Config.fromfile(f'{MMDET_CONFIGS}/faster_rcnn/faster-rcnn_r101-caffe_fpn_1x_coco.py').model
    assert ours == theirs.data_preprocessor.to_dict()


def test_other_teachers_of_a_folder_are_the_same():
    for name in DISTILLED:
        if 'caffe' in name:
            continue
        reference = next(other for other in DISTILLED if other.split('/')[0] == name.split('/')[0])
        assert load(name).model.teacher == load(reference).model.teacher
        assert load(name).model.teacher_ckpt == load(reference).model.teacher_ckpt


@pytest.mark.parametrize(
    ('teacher', 'pair'),
    [
        ('custom/teacher_faster-rcnn_r50_fpn_custom', 'pairs/r50-mv2_custom'),
        ('custom_small/teacher_faster-rcnn_r18w32_fpn_custom-small', 'pairs/r18w32-r18w16_custom-small'),
        ('custom_small/teacher_faster-rcnn_mv2_fpn_custom-small', 'pairs/mv2-r18w16_custom-small'),
        ('dense/teacher_gfl_r18w32_fpn_custom-small', 'pairs/gfl-r18w32-r18w16_custom-small'),
        ('dense/teacher_rtmdet_w25_custom-small', 'pairs/rtmdet-w25-w12_custom-small'),
        ('dense/teacher_rtmdet_l_custom', 'pairs/rtmdet-l-tiny_custom'),
        ('bccd/teacher_faster-rcnn_mv2_fpn_bccd', 'pairs/mv2-r18w16_bccd'),
        ('bccd/teacher_faster-rcnn_mv2_fpn_bccd', 'pairs/mv2-mv2_bccd'),
    ],
)
def test_the_trained_teacher_is_the_model_that_distils(teacher, pair):
    trained = load(teacher).model.to_dict()
    used = load(pair).model.teacher.to_dict()
    for model in (trained, used):
        model['backbone'].pop('frozen_stages', None)
        if '_mv2_' in teacher:
            model['backbone'].pop('init_cfg')
        model.pop('_scope_', None)
    assert used == trained


@pytest.mark.parametrize(('name', 'theirs'), [('student_rtmdet_tiny', 'rtmdet_tiny'), ('teacher_rtmdet_l', 'rtmdet_l')])
def test_rtmdet_is_mmdetections_but_for_classes_and_batchnorm_over_processes(name, theirs):
    ours = load(f'dense/{name}_custom').model.to_dict()
    stock = Config.fromfile(f'{MMDET_CONFIGS}/rtmdet/{theirs}_8xb32-300e_coco.py').model.to_dict()
    for part in ('backbone', 'neck', 'bbox_head'):
        assert stock[part].pop('norm_cfg') == dict(type='SyncBN')
        assert ours[part].pop('norm_cfg') == dict(type='BN')
    for model in (ours, stock):
        model['bbox_head'].pop('num_classes')
    if ours['backbone']['init_cfg'] is None:  # the teacher starts from a detector
        del ours['backbone']['init_cfg']
    ours['data_preprocessor'].pop('pad_size_divisor')  # images are padded to 640 before
    assert stock['data_preprocessor'].pop('batch_augments') is None
    assert ours == stock


def _metafile() -> dict:
    with open(f'{MMDET_CONFIGS}/faster_rcnn/metafile.yml') as file:
        return yaml.safe_load(file)
