"""A real COCO data set and real config files, tiny in size, for tests that start a runner."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.config import Config

from tests import tiny

CLASSES = ('square', 'disc', 'ring')


def make_coco(root: Path, train: int = 4, val: int = 3, seed: int = 0) -> Path:
    """Write images of coloured shapes and their annotations, laid out as COCO is."""
    rng = np.random.default_rng(seed)
    for split, count in (('train', train), ('val', val)):
        (root / split).mkdir(parents=True)
        images, annotations = [], []
        for image_id in range(1, count + 1):
            canvas = rng.integers(60, 120, (64, 80, 3), dtype=np.uint8)
            images.append(dict(id=image_id, file_name=f'{image_id}.png', width=80, height=64))
            for category in rng.permutation(3)[:2]:
                size = int(rng.integers(16, 28))
                x, y = int(rng.integers(0, 80 - size)), int(rng.integers(0, 64 - size))
                _draw(canvas, int(category), x, y, size)
                annotations.append(
                    dict(
                        id=len(annotations) + 1,
                        image_id=image_id,
                        category_id=int(category) + 1,
                        bbox=[x, y, size, size],
                        area=size * size,
                        iscrowd=0,
                    )
                )
            cv2.imwrite(str(root / split / f'{image_id}.png'), canvas)
        categories = [dict(id=index + 1, name=name) for index, name in enumerate(CLASSES)]
        write_annotations(root, split, dict(images=images, annotations=annotations, categories=categories))
    return root


def _draw(canvas: np.ndarray, category: int, x: int, y: int, size: int) -> None:
    center, colour = (x + size // 2, y + size // 2), [(0, 0, 255), (0, 255, 0), (255, 0, 0)][category]
    if category == 0:
        cv2.rectangle(canvas, (x, y), (x + size, y + size), colour, -1)
    else:
        cv2.circle(canvas, center, size // 2, colour, -1 if category == 1 else 3)


def annotation_file(root: Path, split: str) -> Path:
    return root / f'instances_{split}.json'


def read_annotations(root: Path, split: str) -> dict[str, Any]:
    return json.loads(annotation_file(root, split).read_text())


def write_annotations(root: Path, split: str, content: Any) -> None:
    annotation_file(root, split).write_text(content if isinstance(content, str) else json.dumps(content))


def run_config(root: Path, model: dict[str, Any], iters: int = 4, **changes: Any) -> Config:
    """A whole config that trains ``model`` on the data in ``root`` for a few iterations, validating half-way."""
    loading = [
        dict(type='LoadImageFromFile'),
        dict(type='Resize', scale=(80, 64), keep_ratio=True),
        dict(type='LoadAnnotations', with_bbox=True),
    ]
    meta = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')

    def loader(split: str) -> dict[str, Any]:
        pack = dict(type='PackDetInputs') if split == 'train' else dict(type='PackDetInputs', meta_keys=meta)
        return dict(
            batch_size=2,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=split == 'train'),
            dataset=dict(
                type='CocoDataset',
                data_root=str(root),
                metainfo=dict(classes=CLASSES),
                ann_file=f'instances_{split}.json',
                data_prefix=dict(img=f'{split}/'),
                test_mode=split != 'train',
                pipeline=[*loading, pack],
            ),
        )

    evaluator = dict(type='CocoMetric', ann_file=str(annotation_file(root, 'val')), metric='bbox')
    return Config(
        dict(
            default_scope='mmdet',
            model=model,
            train_dataloader={**loader('train'), 'sampler': dict(type='InfiniteSampler', shuffle=True)},
            val_dataloader=loader('val'),
            test_dataloader=loader('val'),
            val_evaluator=evaluator,
            test_evaluator=evaluator,
            train_cfg=dict(type='IterBasedTrainLoop', max_iters=iters, val_interval=max(iters // 2, 1)),
            val_cfg=dict(type='ValLoop'),
            test_cfg=dict(type='TestLoop'),
            optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01, momentum=0.9)),
            default_hooks=dict(
                timer=dict(type='IterTimerHook'),
                logger=dict(type='LoggerHook', interval=1),
                checkpoint=dict(
                    type='CheckpointHook',
                    by_epoch=False,
                    interval=max(iters // 2, 1),
                    save_best='coco/bbox_mAP',
                    rule='greater',
                ),
                visualization=dict(type='DetVisualizationHook'),
            ),
            custom_hooks=[dict(type='eakd_det.CocoEvalHook')],
            log_processor=dict(type='LogProcessor', window_size=1, by_epoch=False),
            visualizer=dict(type='DetLocalVisualizer', vis_backends=[dict(type='LocalVisBackend')]),
            env_cfg=dict(mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0), dist_cfg=dict(backend='gloo')),
            randomness=dict(seed=0),
            auto_scale_lr=dict(enable=False, base_batch_size=2),
            **changes,
        )
    )


def student_config(root: Path, **changes: Any) -> Config:
    """:func:`run_config` of a plain, thin Faster R-CNN."""
    return run_config(root, _detector(), **changes)


def distill_config(root: Path, teacher_ckpt: str | None, **changes: Any) -> Config:
    """:func:`run_config` of EA-KD between two thin detectors."""
    weighting = dict(type='eakd_det.EntropyWeighting', tau=3.0)
    losses = dict(loss_kd=dict(type='eakd_det.KDLoss', tau=1.0, loss_weight=1.0, weighting=weighting))
    model = dict(
        type='eakd_det.ProposalDistill',
        architecture=_detector(),
        teacher=_detector(),
        teacher_ckpt=teacher_ckpt,
        distiller=dict(type='eakd_det.ProposalDistiller', distill_losses=losses),
    )
    return run_config(root, model, **changes)


def _detector() -> dict[str, Any]:
    cfg = tiny.faster_rcnn()
    cfg.test_cfg.rpn.update(nms_pre=50, max_per_img=20)  # boxes cost time
    return cfg


def dump(cfg: Config, path: Path) -> str:
    """Write ``cfg`` to a file and give its name."""
    cfg.dump(str(path))
    return str(path)
