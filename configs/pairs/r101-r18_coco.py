# R101 teaches R18. Student and recipe are those of the plain student's config; the teacher differs from the student
# only in the backbone.
_base_ = '../r101_r18/student_faster-rcnn_r18_fpn_ms-1x_coco.py'

model = dict(
    _delete_=True,
    type='eakd_det.ProposalDistill',
    architecture=_base_.model,
    teacher=dict(
        _base_.model,
        backbone=dict(_base_.model.backbone, depth=101, init_cfg=None),
        neck=dict(_base_.model.neck, in_channels=[256, 512, 1024, 2048]),
    ),
    # mmdet::faster_rcnn/faster-rcnn_r101_fpn_ms-3x_coco, box AP 41.8
    teacher_ckpt='https://download.openmmlab.com/mmdetection/v2.0/faster_rcnn/faster_rcnn_r101_fpn_mstrain_3x_coco/'
    'faster_rcnn_r101_fpn_mstrain_3x_coco_20210524_110822-4d4d2ca8.pth',
    distiller=dict(type='eakd_det.ProposalDistiller'),
)

loss_options = dict(loss_pad=dict(student_channels=1024))
