# The scenes of `make demo` (eakd_det/lab/scenes/digit_scenes.py). No flips: a mirrored 2 is not a digit.
_base_ = 'mmdet::_base_/datasets/coco_detection.py'

data_root = 'work_dirs/demo/data/'
classes = ('0', '1', '2', '3', '4', '5', '6', '7', '8', '9')
train_ann = 'annotations/instances_train.json'
val_ann = 'annotations/instances_val.json'
train_images = 'train/'
val_images = 'val/'

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='Resize', scale=(128, 128), keep_ratio=True),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(128, 128), keep_ratio=True),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(pipeline=train_pipeline),
)
val_dataloader = dict(batch_size=8, num_workers=1, dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
