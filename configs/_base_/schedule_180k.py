# The schedule of the papers' COCO numbers: 180,000 iterations of 8 images (12.3 epochs of COCO, a "1x" schedule).
train_cfg = dict(type='IterBasedTrainLoop', max_iters=180000, val_interval=10000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=1000),
    dict(type='MultiStepLR', by_epoch=False, begin=0, end=180000, milestones=[120000, 160000], gamma=0.1),
]
# No paramwise_cfg=dict(norm_decay_mult=0): it would log a warning for each of the frozen norm layers.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=0.0001),
)
auto_scale_lr = dict(enable=False, base_batch_size=8)  # lr 0.01 is for 8 images; --auto-scale-lr scales it
