# Another step 1 without a GPU: MobileNetV2 from ImageNet, a download of 14 MB, with half of the iterations.
_base_ = ['../_base_/faster-rcnn_mv2_fpn_small_teacher.py', '../_base_/custom_small_teacher.py']

train_cfg = dict(max_iters=450, val_interval=450)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=30),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=30, end=450, T_max=420),
]
default_hooks = dict(checkpoint=dict(interval=450))
