# The recipe of a teacher without a GPU: three times the student's iterations.
_base_ = './custom_small.py'

train_cfg = dict(max_iters=900, val_interval=900)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=30),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=30, end=900, T_max=870),
]
default_hooks = dict(checkpoint=dict(interval=900))
