# Thin GFL detectors on the digit scenes, for ../studies/demo_gfl.py, which sets `teacher_ckpt`.
_base_ = '../dense/student_gfl_r18w16_fpn_demo.py'

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
    teacher_ckpt='work_dirs/demo_gfl/teacher/seed-0/iter_440.pth',
    distiller=dict(type='eakd_det.ProposalDistiller'),
)
