# The teacher: MobileNetV2 from ImageNet, a pyramid twice as wide as the students', three times their iterations.
_base_ = ['../_base_/faster-rcnn_mv2_fpn_small_teacher.py', '../_base_/bccd.py']

train_cfg = dict(max_iters=450, val_interval=450)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=45),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=45, end=450, T_max=405),
]
default_hooks = dict(checkpoint=dict(interval=450))
