# Your own data in COCO format. `data_root` and `classes` are all there is to set: here, in a config of your own, or by
# --cfg-options. tools/train.py and tools/test.py hand them on to every data set, evaluator and box head.
_base_ = ['./coco_ms.py', './schedule_180k.py', './runtime.py']

data_root = 'data/custom/'
classes = None  # every category of `train_ann`; or their names, in the order in which the annotation files list them
train_ann = 'instances_train.json'
val_ann = 'instances_val.json'
train_images = 'images/'
val_images = 'images/'
# Photos that a teacher labelled (docs/custom_data.md): teacher_labels = 'labels.json', teacher_images = 'photos/'

# A short schedule for small data: 6,000 iterations of 8 images. For N training images, 12 passes are 12 * N / 8
# iterations; the learning rate drops after 2/3 and 8/9 of them.
train_cfg = dict(max_iters=6000, val_interval=500)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', by_epoch=False, begin=0, end=6000, milestones=[4000, 5333], gamma=0.1),
]
default_hooks = dict(checkpoint=dict(interval=500))
