# Thin GFL detectors on your own data, without a GPU. `teacher_ckpt` comes from the teacher's config in
# configs/dense.
_base_ = '../dense/student_gfl_r18w16_fpn_custom-small.py'

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
    teacher_ckpt='work_dirs/teacher_gfl_r18w32_fpn_custom-small/iter_300.pth',
    distiller=dict(type='eakd_det.ProposalDistiller'),
)
