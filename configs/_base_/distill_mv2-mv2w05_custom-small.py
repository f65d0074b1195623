# MobileNetV2 teaches a MobileNetV2 of half its width. `teacher_ckpt` is what the teacher's config of the same folder
# leaves in its work directory.
_base_ = '../custom_small/student_faster-rcnn_mv2w05_fpn_custom-small.py'

model = dict(
    _delete_=True,
    type='eakd_det.ProposalDistill',
    architecture=_base_.model,
    teacher=dict(
        _base_.model,
        backbone=dict(
            _base_.model.backbone, widen_factor=1.0, norm_cfg=dict(type='BN', requires_grad=False), norm_eval=True
        ),
        neck=dict(_base_.model.neck, in_channels=[24, 32, 96, 320], out_channels=128),
        rpn_head=dict(_base_.model.rpn_head, in_channels=128, feat_channels=128),
        roi_head=dict(
            _base_.model.roi_head,
            bbox_roi_extractor=dict(_base_.model.roi_head.bbox_roi_extractor, out_channels=128),
            bbox_head=dict(_base_.model.roi_head.bbox_head, in_channels=128, fc_out_channels=512),
        ),
    ),
    teacher_ckpt='work_dirs/teacher_faster-rcnn_mv2_fpn_custom-small/iter_300.pth',
    distiller=dict(type='eakd_det.ProposalDistiller'),
)
