"""Build the detectors and the batch that all arms share."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmdet.models import BaseDetector
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from torch import Tensor

from eakd_det.models import read_model_config
from eakd_det.sites import Sites, find_head, num_classes

CONFIGS = Path(__file__).resolve().parents[3] / 'configs'
PAIRS = {
    'r101-r18': CONFIGS / 'r101_r18' / 'kd_faster-rcnn_r101-r18_fpn_ms-1x_coco.py',
    'r50-mv2': CONFIGS / 'r50_mv2' / 'kd_faster-rcnn_r50-mv2_fpn_ms-1x_coco.py',
}
DENSE_PAIRS = {
    'gfl-r101-r18': CONFIGS / 'pairs' / 'gfl-r101-r18_coco.py',
    'gfl-r18w32-r18w16': CONFIGS / 'pairs' / 'gfl-r18w32-r18w16_demo.py',
}


@dataclass(frozen=True)
class Scene:
    """Two detectors and a batch.

    Attributes:
        student: Student in training mode.
        teacher: Frozen teacher in eval mode.
        student_cfg: Config of the student.
        teacher_cfg: Config of the teacher.
        data: Batch of a data loader: ``inputs`` (uint8 images) and ``data_samples``.
    """

    student: BaseDetector
    teacher: BaseDetector
    student_cfg: Config
    teacher_cfg: Config
    data: dict[str, Any]


def make_scene(pair: str, height: int, width: int, images: int, rois: int, boxes: int = 8, seed: int = 0) -> Scene:
    """Build the pair of a shipped config with random weights, and a random batch.

    Args:
        pair: A key of :data:`PAIRS` or :data:`DENSE_PAIRS`.
        height: Image height in pixels.
        width: Image width in pixels.
        images: Number of images.
        rois: Proposals sampled from each image, by two-stage detectors.
        boxes: Ground-truth boxes per image.
        seed: Seed of weights and batch.
    """
    model = Config.fromfile({**PAIRS, **DENSE_PAIRS}[pair]).model
    configs = [read_model_config(model[key], f'model.{key}') for key in ('architecture', 'teacher')]
    for detector in configs if pair in PAIRS else ():
        detector.train_cfg.rcnn.sampler.num = rois
        detector.train_cfg.rpn_proposal.max_per_img = max(detector.train_cfg.rpn_proposal.max_per_img, rois)
    student = _build(configs[0], seed).train()
    teacher = _build(configs[1], seed + 1).eval().requires_grad_(False)
    batch = _random_batch(height, width, images, boxes, num_classes(student) or 1, seed)
    return Scene(student, teacher, configs[0], configs[1], batch)


def sample_proposals(scene: Scene) -> tuple[Tensor, Sites]:
    """Return the preprocessed images and the sites of the student's loss, such as the proposals that it samples."""
    batch = scene.student.data_preprocessor(copy.deepcopy(scene.data), training=True)
    with torch.no_grad(), find_head(scene.student, 'student').watch() as watched:
        scene.student(**batch, mode='loss')
    return batch['inputs'], watched.sites


def _build(cfg: Config, seed: int) -> BaseDetector:
    cfg.backbone.init_cfg = None
    torch.manual_seed(seed)
    with DefaultScope.overwrite_default_scope('mmdet'):
        detector = MODELS.build(cfg)
        detector.init_weights()
    return detector


def _random_batch(height: int, width: int, images: int, boxes: int, classes: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    inputs, samples = [], []
    for _ in range(images):
        inputs.append(torch.from_numpy(rng.integers(0, 256, (3, height, width), dtype=np.uint8)))
        corner = rng.uniform(0, 0.6, (boxes, 2)) * (width, height)
        extent = rng.uniform(0.1, 0.39, (boxes, 2)) * (width, height)
        found = torch.from_numpy(np.concatenate([corner, corner + extent], 1)).float()
        labels = torch.from_numpy(rng.integers(0, classes, boxes))
        sample = DetDataSample(metainfo=dict(img_shape=(height, width), ori_shape=(height, width), scale_factor=(1, 1)))
        sample.gt_instances = InstanceData(bboxes=found, labels=labels)
        sample.ignored_instances = InstanceData(bboxes=found[:0], labels=labels[:0])
        samples.append(sample)
    return dict(inputs=inputs, data_samples=samples)
