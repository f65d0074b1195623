# COCO 2017 with six training sizes and horizontal flips. 8 images on one GPU; with N GPUs, set
# train_dataloader.batch_size to 8 / N.
_base_ = 'mmdet::_base_/datasets/coco_detection.py'

# tools/train.py and tools/test.py apply this to every data set and evaluator.
data_root = 'data/coco/'
train_ann = 'annotations/instances_train2017.json'
val_ann = 'annotations/instances_val2017.json'
train_images = 'train2017/'
val_images = 'val2017/'

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='RandomChoiceResize',
        scales=[(1333, 640), (1333, 672), (1333, 704), (1333, 736), (1333, 768), (1333, 800)],
        keep_ratio=True,
    ),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(pipeline=train_pipeline),
)
