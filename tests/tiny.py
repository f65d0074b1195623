"""Real MMDetection detectors and batches, tiny in size and not in substance."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

RGB = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True)
CAFFE = dict(mean=[103.53, 116.28, 123.675], std=[1.0, 1.0, 1.0], bgr_to_rgb=False)


def faster_rcnn(num_classes: int = 3, num_rois: int = 32, base: str = 'faster-rcnn_r50_fpn', **pixels: Any) -> dict:
    """The config of MMDetection's own Faster R-CNN (or Mask, Cascade R-CNN), with thin layers."""
    cfg = Config.fromfile(f'{_mmdet_configs()}/_base_/models/{base}.py').model
    cfg.backbone = dict(
        type='ResNet',
        depth=18,
        base_channels=8,
        stem_channels=8,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        frozen_stages=-1,
        norm_cfg=dict(type='BN', requires_grad=True),
        norm_eval=False,
        style='pytorch',
    )
    cfg.neck.update(in_channels=[8, 16, 32, 64], out_channels=16)
    cfg.rpn_head.update(in_channels=16, feat_channels=16)
    cfg.roi_head.bbox_roi_extractor.out_channels = 16
    heads = cfg.roi_head.bbox_head if isinstance(cfg.roi_head.bbox_head, list) else [cfg.roi_head.bbox_head]
    for head in heads:
        head.update(in_channels=16, fc_out_channels=24, num_classes=num_classes)
    if 'mask_head' in cfg.roi_head:
        cfg.roi_head.mask_roi_extractor.out_channels = 16
        cfg.roi_head.mask_head.update(num_convs=1, in_channels=16, conv_out_channels=8, num_classes=num_classes)
    rcnn = cfg.train_cfg.rcnn if isinstance(cfg.train_cfg.rcnn, list) else [cfg.train_cfg.rcnn]
    for stage in rcnn:
        stage.sampler.num = num_rois
    cfg.train_cfg.rpn_proposal.update(nms_pre=200, max_per_img=100)
    cfg.data_preprocessor.update(pixels or RGB)
    return cfg


DENSE = {
    'retinanet': 'retinanet/retinanet_r18_fpn_1x_coco.py',
    'gfl': 'gfl/gfl_r50_fpn_1x_coco.py',
    'rtmdet': 'rtmdet/rtmdet_tiny_8xb32-300e_coco.py',
    'fcos': 'fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py',
    'atss': 'atss/atss_r50_fpn_1x_coco.py',
    'yolox': 'yolox/yolox_tiny_8xb8-300e_coco.py',
}


def dense(name: str = 'retinanet', num_classes: int = 3) -> dict:
    """The config of one of MMDetection's own single-stage detectors, with thin layers and one scale of images."""
    cfg = Config.fromfile(f'{_mmdet_configs()}/{DENSE[name]}').model
    cfg.data_preprocessor = dict(type='DetDataPreprocessor', pad_size_divisor=32, **RGB)
    cfg.bbox_head.num_classes = num_classes
    if name in ('rtmdet', 'yolox'):
        cfg.backbone.update(widen_factor=0.125, deepen_factor=0.17, init_cfg=None)
        cfg.neck.update(in_channels=[32, 64, 128], out_channels=16)
    else:
        cfg.backbone = faster_rcnn().backbone
        cfg.neck.update(in_channels=[8, 16, 32, 64], out_channels=32)
    cfg.bbox_head.update(in_channels=cfg.neck.out_channels, feat_channels=32, stacked_convs=1)
    return cfg


def _mmdet_configs() -> str:
    import os

    import mmdet

    return os.path.join(os.path.dirname(mmdet.__file__), '.mim', 'configs')


def build(cfg: dict, seed: int = 0) -> Any:
    """Build a detector with weights drawn from ``seed``."""
    torch.manual_seed(seed)
    with DefaultScope.overwrite_default_scope('mmdet'):
        detector = MODELS.build(copy.deepcopy(cfg))
        detector.init_weights()
    return detector


def batch(sizes: tuple[tuple[int, int], ...] = ((96, 128), (80, 96)), num_classes: int = 3, seed: int = 0) -> dict:
    """Random images as a data loader yields them, with a few boxes each; some images may be given size (h, w)."""
    rng = np.random.default_rng(seed)
    inputs, samples = [], []
    for height, width in sizes:
        inputs.append(torch.from_numpy(rng.integers(0, 256, (3, height, width), dtype=np.uint8)))
        count = int(rng.integers(1, 4))
        corner = rng.uniform(0, 0.5, (count, 2)) * (width, height)
        extent = rng.uniform(0.2, 0.45, (count, 2)) * (width, height)
        boxes = torch.from_numpy(np.concatenate([corner, corner + extent], 1)).float()
        labels = torch.from_numpy(rng.integers(0, num_classes, count))
        sample = DetDataSample(
            metainfo=dict(
                img_shape=(height, width), ori_shape=(height, width), scale_factor=(1, 1), img_id=len(samples)
            )
        )
        sample.gt_instances = InstanceData(bboxes=boxes, labels=labels)
        sample.ignored_instances = InstanceData(bboxes=boxes[:0], labels=labels[:0])
        samples.append(sample)
    return dict(inputs=inputs, data_samples=samples)


def distill(student: Any, teacher: Any, losses: dict | None = None, **kwargs: Any) -> Any:
    """Build ``eakd_det.ProposalDistill`` around two detectors."""
    from eakd_det.building import build_model

    distiller = kwargs.pop('distiller', {})
    losses = losses or dict(
        loss_kd=dict(type='eakd_det.KDLoss', weighting=dict(type='eakd_det.EntropyWeighting', tau=3.0))
    )
    return build_model(
        dict(
            type='eakd_det.ProposalDistill',
            architecture=student,
            teacher=teacher,
            distiller=dict(type='eakd_det.ProposalDistiller', distill_losses=losses, **distiller),
            **kwargs,
        )
    )


def steps_of(model: Any) -> list[Any]:
    """The steps that ``model`` compares from now on, student with gradient."""
    steps: list[Any] = []
    record = model.distiller.record_step

    def keep(step: Any, predictors: Any) -> None:
        steps.append(step)
        record(step, predictors)

    model.distiller.record_step = keep
    return steps


def step(model: Any, data: dict, seed: int = 0) -> dict[str, Any]:
    """One forward and backward pass with MMDetection's samplers seeded; returns the loss dict."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    data = model.data_preprocessor(copy.deepcopy(data), training=True)
    losses = model(**data, mode='loss')
    total, _ = model.parse_losses(losses)
    model.zero_grad()
    total.backward()
    return losses
