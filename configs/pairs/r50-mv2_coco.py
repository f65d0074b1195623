# R50 teaches MobileNetV2. The recipe is that of the plain student's config.
_base_ = [
    '../_base_/faster-rcnn_r50-mv2.py',
    '../_base_/coco_ms.py',
    '../_base_/schedule_180k.py',
    '../_base_/runtime.py',
]

model = dict(
    # mmdet::faster_rcnn/faster-rcnn_r50_fpn_ms-3x_coco, box AP 40.3
    teacher_ckpt='https://download.openmmlab.com/mmdetection/v2.0/faster_rcnn/faster_rcnn_r50_fpn_mstrain_3x_coco/'
    'faster_rcnn_r50_fpn_mstrain_3x_coco_20210524_110822-e10bd31c.pth',
)
