# The demo's teacher and student; `make demo` sets `teacher_ckpt`.
_base_ = ['../demo/student_faster-rcnn_r18w16_fpn_demo.py', '../_base_/loss_options_32-64.py']

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
    teacher_ckpt='work_dirs/demo/teacher/seed-0/iter_300.pth',
    distiller=dict(type='eakd_det.ProposalDistiller'),
)

loss_options = dict(loss_ctkd=dict(tau=dict(num_columns=11)))  # in addition to those of the widths
