# The teacher, trained a third longer than the student.
_base_ = ['../_base_/faster-rcnn_r18w32_fpn_demo.py', '../_base_/demo.py']

model = dict(neck=dict(norm_cfg=dict(type='BN')))
train_cfg = dict(max_iters=300, val_interval=300)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=50, end=300, T_max=250),
]
default_hooks = dict(checkpoint=dict(interval=300))
