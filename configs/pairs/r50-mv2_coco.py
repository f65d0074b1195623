# R50 teaches MobileNetV2. Student and recipe are those of the plain student's config; the teacher differs from the
# student only in the backbone.
_base_ = '../r50_mv2/student_faster-rcnn_mv2_fpn_ms-1x_coco.py'

model = dict(
    _delete_=True,
    type='eakd_det.ProposalDistill',
    architecture=_base_.model,
    teacher=dict(
        _base_.model,
        backbone=dict(
            type='ResNet',
            depth=50,
            num_stages=4,
            out_indices=(0, 1, 2, 3),
            norm_cfg=dict(type='BN', requires_grad=False),
            norm_eval=True,
            style='pytorch',
            init_cfg=None,
        ),
        neck=dict(_base_.model.neck, in_channels=[256, 512, 1024, 2048]),
    ),
    # mmdet::faster_rcnn/faster-rcnn_r50_fpn_ms-3x_coco, box AP 40.3
    teacher_ckpt='https://download.openmmlab.com/mmdetection/v2.0/faster_rcnn/faster_rcnn_r50_fpn_mstrain_3x_coco/'
    'faster_rcnn_r50_fpn_mstrain_3x_coco_20210524_110822-e10bd31c.pth',
    distiller=dict(type='eakd_det.ProposalDistiller'),
)

# 2.0 is ReviewKD's weight for MobileNetV2.
loss_options = dict(
    loss_review=dict(loss_weight=2.0), loss_nd=dict(loss_weight=1.0), loss_pad=dict(student_channels=1024)
)
