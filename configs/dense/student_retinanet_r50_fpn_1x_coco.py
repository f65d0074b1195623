# The plain student: RetinaNet R50-FPN, 12 epochs, 16 images in all (8 GPUs with 2 images each; `--auto-scale-lr`
# otherwise). Box AP 37.4 in CrossKD, 36.5 in MMDetection's model zoo.
_base_ = ['mmdet::retinanet/retinanet_r50_fpn_1x_coco.py', '../_base_/hooks_dense.py']

model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='https://download.pytorch.org/models/resnet50-0676ba61.pth')
    ),
)
