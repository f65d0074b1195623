# MobileNetV2 teaches itself: the teacher has a wider pyramid and was trained longer.
_base_ = ['../bccd/student_faster-rcnn_mv2_fpn_bccd.py', '../_base_/loss_options_32-64.py']

model = dict(
    _delete_=True,
    type='eakd_det.ProposalDistill',
    architecture=_base_.model,
    teacher=dict(
        _base_.model,
        backbone=dict(_base_.model.backbone, init_cfg=None),
        neck=dict(_base_.model.neck, out_channels=64),
        rpn_head=dict(_base_.model.rpn_head, in_channels=64, feat_channels=64),
        roi_head=dict(
            _base_.model.roi_head,
            bbox_roi_extractor=dict(_base_.model.roi_head.bbox_roi_extractor, out_channels=64),
            bbox_head=dict(_base_.model.roi_head.bbox_head, in_channels=64),
        ),
    ),
    teacher_ckpt='work_dirs/teacher_faster-rcnn_mv2_fpn_bccd/iter_450.pth',
    distiller=dict(type='eakd_det.ProposalDistiller'),
)
