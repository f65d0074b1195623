# R50 teaches MobileNetV2: the teacher differs from the student only in the backbone.
_base_ = './faster-rcnn_mv2_fpn.py'

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
    distiller=dict(type='eakd_det.ProposalDistiller'),
)

# 2.0 is ReviewKD's weight for MobileNetV2.
loss_options = dict(
    loss_review=dict(loss_weight=2.0), loss_nd=dict(loss_weight=1.0), loss_pad=dict(student_channels=1024)
)
