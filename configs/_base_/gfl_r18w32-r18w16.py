# Thin GFL detectors: the teacher has twice the channels and a wider head.
_base_ = ['./gfl_r18w16_fpn_demo.py', './loss_options_dense.py']

model = dict(
    _delete_=True,
    type='eakd_det.ProposalDistill',
    architecture=_base_.model,
    teacher=dict(
        _base_.model,
        backbone=dict(_base_.model.backbone, base_channels=32, stem_channels=32),
        neck=dict(_base_.model.neck, in_channels=[32, 64, 128, 256]),
        bbox_head=dict(_base_.model.bbox_head, feat_channels=64),
    ),
    distiller=dict(type='eakd_det.ProposalDistiller'),
)

loss_options = dict(loss_fgd=dict(student_channels=64, teacher_channels=64, num_levels=4))  # all of the pyramid
