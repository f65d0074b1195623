# Blood cells (BCCD): 292 photos for training, 72 for validation, 3 classes. `data_root` is laid out as in custom.py.
# 150 iterations of 8 images are four epochs, so students are far from converged.
_base_ = './custom_small.py'

data_root = 'data/bccd/'
train_cfg = dict(max_iters=150, val_interval=150)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=15),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=15, end=150, T_max=135),
]
default_hooks = dict(checkpoint=dict(interval=150, max_keep_ckpts=1, save_best=None))
