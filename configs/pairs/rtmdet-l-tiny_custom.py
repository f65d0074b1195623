# RTMDet-l teaches RTMDet-tiny on your own data. configs/dense/teacher_rtmdet_l_custom.py trains the teacher.
_base_ = ['../_base_/rtmdet_tiny.py', '../_base_/custom_rtmdet.py', '../_base_/loss_options_dense.py']

model = dict(
    _delete_=True,
    type='eakd_det.ProposalDistill',
    architecture=_base_.model,
    teacher=dict(
        _base_.model,
        backbone=dict(_base_.model.backbone, deepen_factor=1.0, widen_factor=1.0, init_cfg=None),
        neck=dict(_base_.model.neck, in_channels=[256, 512, 1024], out_channels=256, num_csp_blocks=3),
        bbox_head=dict(_base_.model.bbox_head, in_channels=256, feat_channels=256, exp_on_reg=True),
    ),
    teacher_ckpt='work_dirs/teacher_rtmdet_l_custom/student.pth',
    distiller=dict(type='eakd_det.ProposalDistiller'),
)
loss_options = dict(
    loss_cross=dict(student_channels=96, teacher_channels=256, num_levels=3),
    loss_pkd=dict(num_levels=3),
    loss_fgd=dict(student_channels=96, teacher_channels=256, num_levels=3),
)
