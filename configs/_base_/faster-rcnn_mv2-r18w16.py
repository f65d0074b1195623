# MobileNetV2 teaches a thin ResNet-18: another backbone for the teacher, with the same pyramid and heads.
_base_ = './faster-rcnn_r18w32-r18w16.py'

model = dict(
    teacher=dict(
        backbone=dict(
            _delete_=True,
            type='eakd_det.MobileNetV2',
            out_indices=(1, 2, 4, 6),
            frozen_stages=2,
            norm_cfg=dict(type='BN', requires_grad=False),
            norm_eval=True,
            init_cfg=None,
        ),
        neck=dict(in_channels=[24, 32, 96, 320]),
    ),
)
