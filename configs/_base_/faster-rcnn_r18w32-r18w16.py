# Thin Faster R-CNNs: the teacher has twice the channels and a wider pyramid.
_base_ = ['./faster-rcnn_r18w16_fpn_demo.py', './loss_options_32-64.py']

model = dict(
    _delete_=True,
    type='eakd_det.ProposalDistill',
    architecture=_base_.model,
    teacher=dict(
        _base_.model,
        backbone=dict(_base_.model.backbone, base_channels=32, stem_channels=32),
        neck=dict(_base_.model.neck, in_channels=[32, 64, 128, 256], out_channels=64),
        rpn_head=dict(_base_.model.rpn_head, in_channels=64, feat_channels=64),
        roi_head=dict(
            _base_.model.roi_head,
            bbox_roi_extractor=dict(_base_.model.roi_head.bbox_roi_extractor, out_channels=64),
            bbox_head=dict(_base_.model.roi_head.bbox_head, in_channels=64),
        ),
    ),
    distiller=dict(type='eakd_det.ProposalDistiller'),
)
