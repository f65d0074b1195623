# Your own data in COCO format. Set `data_root` and `classes` here, in your own config, or by --cfg-options;
# tools/train.py and tools/test.py apply them to every data set, evaluator and box head.
_base_ = ['./coco_ms.py', './schedule_180k.py', './runtime.py']

data_root = 'data/custom/'
classes = None  # all categories of `train_ann`; or their names, in the order of the annotation files
train_ann = 'instances_train.json'
val_ann = 'instances_val.json'
train_images = 'images/'
val_images = 'images/'
# Photos labelled by a teacher (docs/custom_data.md): teacher_labels = 'labels.json', teacher_images = 'photos/'

# A short schedule for small data: 6,000 iterations of 8 images. For N training images, 12 epochs are 12 * N / 8
# iterations, with drops of the learning rate after 2/3 and 8/9.
train_cfg = dict(max_iters=6000, val_interval=500)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', by_epoch=False, begin=0, end=6000, milestones=[4000, 5333], gamma=0.1),
]
default_hooks = dict(checkpoint=dict(interval=500))
