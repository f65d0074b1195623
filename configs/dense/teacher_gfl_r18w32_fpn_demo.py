# The teacher of the digit scenes: half of ResNet-18's channels, a wider head, trained twice as long as the student.
_base_ = ['../_base_/gfl_r18w32_fpn_demo.py', '../_base_/demo.py']

train_cfg = dict(max_iters=440, val_interval=440)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=50, end=440, T_max=390),
]
default_hooks = dict(checkpoint=dict(interval=440))
