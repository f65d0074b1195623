# A control for own-data: the plain student with what its teacher has, packaged weights to start with, photos in other
# sizes, parts and colours, and as many iterations as teacher and student together.
_base_ = './student-900_faster-rcnn_r18w16_fpn_custom-small.py'

train_cfg = dict(max_iters=1200, val_interval=1200)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=30),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=30, end=1200, T_max=1170),
]
default_hooks = dict(checkpoint=dict(interval=1200))
