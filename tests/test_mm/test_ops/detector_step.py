"""Print losses, gradients and detections of a tiny detector of MMDetection, as JSON."""

from __future__ import annotations

import json
import sys

import torch
from mmengine.logging import MMLogger

import eakd_det  # noqa: F401  makes mmcv.ops importable
from eakd_det.mm.ops import finder
from tests.tiny import batch, build, faster_rcnn, step

MMLogger.get_current_instance().setLevel('ERROR')
torch.set_num_threads(1)
detector = build(faster_rcnn(base=sys.argv[1])).train()
data = batch()
if 'mask' in sys.argv[1]:
    from mmdet.structures.mask import BitmapMasks

    for sample in data['data_samples']:
        height, width = sample.img_shape
        masks = torch.zeros(len(sample.gt_instances), height, width, dtype=torch.uint8)
        for mask, (x1, y1, x2, y2) in zip(masks, sample.gt_instances.bboxes.int().tolist(), strict=True):
            mask[y1:y2, x1 : (x1 + x2) // 2] = 1
        sample.gt_instances.masks = BitmapMasks(masks.numpy(), height, width)
losses = step(detector, data)
gradient = sum(float(p.grad.abs().sum()) for p in detector.parameters() if p.grad is not None)
with torch.no_grad():
    detections = detector.eval().test_step(batch())
print(
    json.dumps(
        dict(
            python=finder.uses_python_ops(),
            losses={
                k: [float(v) for v in (values if isinstance(values, list) else [values])]
                for k, values in losses.items()
            },
            gradient=gradient,
            boxes=[sample.pred_instances.bboxes.tolist() for sample in detections],
        )
    )
)
