# MobileNetV2 teaches a thin ResNet-18: the teacher's pyramid has twice the channels.
_base_ = ['./faster-rcnn_r18w16_fpn_demo.py', './loss_options_32-64.py']

model = dict(
    _delete_=True,
    type='eakd_det.ProposalDistill',
    architecture=_base_.model,
    teacher=dict(
        _base_.model,
        backbone=dict(
            type='eakd_det.MobileNetV2',
            out_indices=(1, 2, 4, 6),
            frozen_stages=2,
            norm_cfg=dict(type='BN', requires_grad=False),
            norm_eval=True,
            init_cfg=None,
        ),
        neck=dict(_base_.model.neck, in_channels=[24, 32, 96, 320], out_channels=64),
        rpn_head=dict(_base_.model.rpn_head, in_channels=64, feat_channels=64),
        roi_head=dict(
            _base_.model.roi_head,
            bbox_roi_extractor=dict(_base_.model.roi_head.bbox_roi_extractor, out_channels=64),
            bbox_head=dict(_base_.model.roi_head.bbox_head, in_channels=64),
        ),
    ),
    distiller=dict(type='eakd_det.ProposalDistiller'),
)
