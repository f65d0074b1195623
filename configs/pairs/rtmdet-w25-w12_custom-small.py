# Narrow RTMDet detectors on your own data, without a GPU. `teacher_ckpt` comes from the teacher's config in
# configs/dense.
_base_ = ['../_base_/rtmdet_w12.py', '../_base_/custom_small.py', '../_base_/loss_options_dense.py']

model = dict(
    _delete_=True,
    type='eakd_det.ProposalDistill',
    architecture=_base_.model,
    teacher=dict(
        _base_.model,
        backbone=dict(_base_.model.backbone, widen_factor=0.25),
        neck=dict(_base_.model.neck, in_channels=[64, 128, 256]),
        bbox_head=dict(_base_.model.bbox_head, feat_channels=64),
    ),
    teacher_ckpt='work_dirs/teacher_rtmdet_w25_custom-small/student.pth',
    distiller=dict(type='eakd_det.ProposalDistiller'),
)
loss_options = dict(loss_pkd=dict(num_levels=3), loss_fgd=dict(student_channels=64, teacher_channels=64, num_levels=3))
