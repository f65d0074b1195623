# The longer recipe without a GPU, of teachers and of students without inheritance: 900 iterations, and photos in other
# sizes, parts and colours, without which a detector learns a few photos by heart.
_base_ = './custom_small.py'

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='RandomResize', scale=(200, 150), ratio_range=(0.7, 1.5), keep_ratio=True),
    dict(type='RandomCrop', crop_type='absolute', crop_size=(200, 200), allow_negative_crop=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackDetInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

train_cfg = dict(max_iters=900, val_interval=900)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=30),
    dict(type='CosineAnnealingLR', eta_min=1e-5, by_epoch=False, begin=30, end=900, T_max=870),
]
default_hooks = dict(checkpoint=dict(interval=900))
