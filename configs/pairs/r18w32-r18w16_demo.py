# The demo's teacher and student; `make demo` sets `teacher_ckpt`.
_base_ = ['../_base_/faster-rcnn_r18w32-r18w16.py', '../_base_/demo.py']

_norm = dict(neck=dict(norm_cfg=dict(type='BN')))  # as in both plain configs
model = dict(architecture=_norm, teacher=_norm, teacher_ckpt='work_dirs/demo/teacher/seed-0/iter_300.pth')
del _norm

loss_options = dict(loss_ctkd=dict(tau=dict(num_columns=11)))  # in addition to those of the widths
