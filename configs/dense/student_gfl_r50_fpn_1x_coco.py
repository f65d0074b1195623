# The plain student: GFL R50-FPN, 12 epochs, 16 images in all (8 GPUs with 2 images each; `--auto-scale-lr` otherwise).
# Box AP 40.2 in CrossKD and in MMDetection's model zoo.
_base_ = ['mmdet::gfl/gfl_r50_fpn_1x_coco.py', '../_base_/hooks_dense.py']

model = dict(
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='https://download.pytorch.org/models/resnet50-0676ba61.pth')
    ),
)
